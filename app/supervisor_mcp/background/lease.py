"""A lease of the database: of all processes, one does the work."""

from __future__ import annotations

import asyncio
import os
import socket
from uuid import uuid4

from supervisor_mcp.db import Database
from supervisor_mcp.errors import Problem

# What a process that ends without releasing its lease delays the next one by.
LEASE_SECONDS = 15.0
RENEWAL_SECONDS = 5.0
RELEASE_SECONDS = 2.0


class Lease:
    """The right of this process to do a work, until it expires or is released.

    The database decides by its own clock. This process counts from when it asked, so that it stops
    before the database gives the lease to another one; wall clocks that differ do not matter.
    """

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name
        self._holder = f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex[:8]}"
        self._held_until = 0.0
        self._asked_at = float("-inf")

    @property
    def is_held(self) -> bool:
        """Whether this process may do the work now."""
        return _now() < self._held_until

    async def keep(self) -> bool:
        """Take or renew the lease when that is due; whether this process has it.

        Raises `Problem`; a lease that is held then stays so until it expires.
        """
        if _now() - self._asked_at >= RENEWAL_SECONDS:
            asked_at = _now()
            held = await self._ask(LEASE_SECONDS)
            self._asked_at = asked_at
            self._held_until = asked_at + LEASE_SECONDS if held else 0.0
        return self.is_held

    async def release(self) -> None:
        """Give the lease up, so that another process takes over at once."""
        if not self.is_held:
            return
        self._held_until = 0.0
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                await self._ask(0.0)
        except (Problem, TimeoutError):
            # It expires.
            pass

    async def _ask(self, seconds: float) -> bool:
        (held,) = await self._database.call_in_background(
            "renew_lease",
            {"name": self._name, "holder": self._holder, "seconds": seconds},
            read_only=False,
        )
        return bool(held)


def _now() -> float:
    return asyncio.get_running_loop().time()
