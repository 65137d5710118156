"""Reading what other processes have changed, so that no kept answer stays stale for long."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress

import msgspec

from supervisor_mcp.cache.changes import Changes
from supervisor_mcp.db import Database
from supervisor_mcp.errors import Problem

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 1.0

# Transactions by namespace and kind.
Found = dict[str, dict[str, list[int]]]


class ChangeReader:
    """Reads `data.kind_change` about once a second, on a connection of its own.

    A database that does not answer changes nothing: no commit goes through it either, so the
    answers that are kept stay right. What was committed meanwhile comes with the next reading.
    """

    def __init__(self, database: Database, changes: Changes) -> None:
        self._database = database
        self._changes = changes
        self._due = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._failing = False
        self._read_at = 0.0
        self._next: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    def start(self) -> None:
        """Begin to read."""
        self._read_at = time.monotonic()
        self._task = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Stop reading."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def seconds_since_reading(self) -> float:
        """How long ago changes were read, or the start where they never were; 0 before it."""
        return 0.0 if self._task is None else time.monotonic() - self._read_at

    def wake(self) -> None:
        """Read at once: an ingest of this process may have been committed without an answer."""
        self._due.set()

    async def read(self) -> None:
        """Read once. Raises `Problem`."""
        since, read_at, found = await self._database.read_aside(
            "list_changes", {"since": self._changes.since}
        )
        changes = msgspec.json.decode(found, type=Found) if found else {}
        self._changes.learn(since, read_at.timestamp(), changes)
        self._read_at = time.monotonic()

    async def catch_up(self) -> None:
        """Know every change that was committed before this call. Raises `Problem`."""
        # A reading under way may have begun too early: those who come now share the next one.
        if self._next is None:
            self._next = asyncio.create_task(self._read_next())
            self._next.add_done_callback(_retrieve)
        await asyncio.shield(self._next)

    async def _read_next(self) -> None:
        async with self._turn:
            self._next = None
            await self.read()

    async def _follow(self) -> None:
        while True:
            self._due.clear()
            try:
                await self.read()
                self._failing = False
            except Problem as problem:
                if not self._failing:
                    logger.warning("changes cannot be read, trying again: %s", problem.detail)
                    # The connection may have been lost while nothing was wrong with the server.
                    self._due.set()
                self._failing = True
            except Exception:
                logger.exception("changes cannot be read")
            # wait_for would lose a cancellation that comes together with a wake.
            with suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL_SECONDS):
                    await self._due.wait()


def _retrieve(reading: asyncio.Task[None]) -> None:
    """Mark an error as seen: the caller may have gone."""
    if not reading.cancelled():
        reading.exception()
