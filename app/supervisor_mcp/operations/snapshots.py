"""Snapshots: answers that are stored after they were given, for `as_of`."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from supervisor_mcp import identity
from supervisor_mcp.db import Database
from supervisor_mcp.errors import Problem

logger = logging.getLogger(__name__)

# How many answers wait at most; the job stores every hour what is dropped here.
LONGEST_QUEUE = 64
# Between two answers to one question that are stored: the first and the last of a minute count.
PAUSE_SECONDS = 1.0
# After a server said that it is read-only.
STANDBY_SECONDS = 60.0


class SnapshotWriter:
    """Stores answers in the background, one write at a time: no reader waits for it or fails."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # By namespace, kind and window.
        self._waiting: dict[tuple[str, str | None, str], bytes] = {}
        self._task: asyncio.Task[None] | None = None
        self._resume_at = 0.0

    def offer(self, kind: str | None, window: str, answer: bytes) -> None:
        """Store an answer about a kind, or every kind, unless too many wait."""
        question = (identity.current.get().namespace, kind, window)
        if question not in self._waiting and len(self._waiting) >= LONGEST_QUEUE:
            return
        if asyncio.get_running_loop().time() < self._resume_at:
            return
        self._waiting[question] = answer
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write(), context=identity.of_service())

    async def stop(self) -> None:
        """Drop what waits."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _write(self) -> None:
        while self._waiting:
            answers, self._waiting = self._waiting, {}
            for (namespace, _, _), answer in answers.items():
                try:
                    with identity.acting_as(identity.serving(namespace)):
                        await self._database.record("record_agg", {"answer": answer.decode()})
                except Problem as problem:
                    logger.debug("a snapshot was not stored: %s", problem)
                    if problem.slug == "read_only":
                        self._resume_at = asyncio.get_running_loop().time() + STANDBY_SECONDS
                        self._waiting.clear()
                        return
            await asyncio.sleep(PAUSE_SECONDS)
