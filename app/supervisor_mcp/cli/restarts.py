"""Servers that are started again when they end by themselves."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Generic, Self, TypeVar

from supervisor_mcp.cli.failure import Failure
from supervisor_mcp.embedded.errors import EmbeddedError
from supervisor_mcp.process import Server

logger = logging.getLogger(__name__)

S = TypeVar("S", bound=Server)

# Seconds before each start within WITHIN_SECONDS; one more end than there are pauses is a failure.
PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0)
WITHIN_SECONDS = 300.0


class Kept(Generic[S]):
    """A server that is started again when it ends by itself; stops with the context."""

    def __init__(
        self, name: str, server: S, again: Callable[[S], S], pauses: tuple[float, ...] = PAUSES
    ) -> None:
        """`again` starts a server in place of the one that has ended, at the same URL."""
        self.name = name
        self.server = server
        self._again = again
        self._pauses = pauses
        self._ends: list[float] = []
        self._due: float | None = None

    def check(self) -> bool:
        """Whether it had ended and was started again just now.

        Raises Failure when it has ended too often.
        """
        status = self.server.ended()
        if status is None:
            return False
        if self._due is None:
            self._due = self._plan(f"ended with status {status}")
        if time.monotonic() < self._due:
            return False
        self.server.stop()
        try:
            self.server = self._again(self.server)
        except (EmbeddedError, OSError) as error:
            self._due = self._plan(f"did not start again ({error})")
            return False
        self._due = None
        logger.warning("%s was started again", self.name)
        return True

    def _plan(self, what: str) -> float:
        now = time.monotonic()
        self._ends = [*(end for end in self._ends if now - end < WITHIN_SECONDS), now]
        if len(self._ends) > len(self._pauses):
            raise Failure(
                f"{self.name} ended {len(self._ends)} times in {WITHIN_SECONDS / 60:.0f} minutes.",
                hint="See the log above for the reason, and run `up` again.",
            )
        pause = self._pauses[len(self._ends) - 1]
        logger.error("%s %s; it is started again in %.0f s", self.name, what, pause)
        return now + pause

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()
