"""The memory that request bodies may take up in this process, over all requests under way."""

from __future__ import annotations

from typing import Any, Final

from supervisor_mcp.errors import Problem

LIMIT_BYTES: Final = 64 * 1024 * 1024
HELD = "supervisor.body_bytes"


class Budget:
    """Bytes that requests take and give back; the scope of a request holds what it took."""

    def __init__(self, limit: int) -> None:
        self._free = limit

    def take(self, scope: Any, size: int) -> None:
        """Take bytes for a request. Raises `Problem` when there are not enough."""
        if size > self._free:
            raise Problem(
                "bodies_within_limit",
                "the service is reading as many request bodies as its memory allows",
                hint="Send the request again after the seconds in Retry-After; send smaller"
                " batches, or fewer at once.",
            )
        self._free -= size
        scope[HELD] = scope.get(HELD, 0) + size

    def give_back(self, scope: Any) -> None:
        """Give back all bytes of a request."""
        self._free += scope.pop(HELD, 0)


BODIES: Final = Budget(LIMIT_BYTES)
