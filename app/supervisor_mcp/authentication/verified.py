"""Identities that are kept for a moment, so that not every request is verified again."""

from __future__ import annotations

import time
from typing import Final

from supervisor_mcp.identity import Identity

MOST: Final = 4096


class Verified:
    """Identities by the digests of their credentials, each until a time; never a failure."""

    def __init__(self) -> None:
        self._held: dict[bytes, tuple[Identity, float, int]] = {}

    def find(self, digest: bytes, generation: int) -> Identity | None:
        """The identity, unless its time is over or another generation has begun."""
        held = self._held.get(digest)
        if held is None:
            return None
        if time.monotonic() < held[1] and held[2] == generation:
            return held[0]
        del self._held[digest]
        return None

    def keep(self, digest: bytes, identity: Identity, until: float, generation: int) -> None:
        """Keep an identity until a time of the monotonic clock; the oldest makes room."""
        self._held.pop(digest, None)
        if len(self._held) >= MOST:
            del self._held[next(iter(self._held))]
        self._held[digest] = (identity, until, generation)
