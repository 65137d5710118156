"""A step that is repeated for as long as the process runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from supervisor_mcp.errors import Problem

logger = logging.getLogger(__name__)


# True for more to do at once, without a pause. A step takes seconds at most: the log says that an
# outage is over when one succeeds.
Step = Callable[[], Awaitable[bool | None]]


class Loop:
    """Repeats a step; a step that fails is tried again, and one line of the log says so."""

    def __init__(self, name: str, step: Step, *, interval_seconds: float) -> None:
        self._name = name
        self._step = step
        self._interval_seconds = interval_seconds
        self._failing = False
        self._ending = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._repeat(), name=self._name)

    async def stop(self) -> None:
        """End, also within a step."""
        # A step may lose the cancellation: before Python 3.12, asyncio.wait_for, by which a pool
        # of connections waits, can do so when it is canceled just as its result comes.
        self._ending = True
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _repeat(self) -> None:
        while not self._ending:
            has_more = None
            try:
                has_more = await self._step()
            except Problem as problem:
                self._note(problem.detail, is_defect=problem.slug == "internal")
            except Exception as error:
                self._note(repr(error), is_defect=True)
            else:
                if self._failing:
                    logger.info("%s runs again", self._name)
                self._failing = False
            if not self._ending:
                await asyncio.sleep(0 if has_more else self._interval_seconds)

    def _note(self, reason: str, *, is_defect: bool) -> None:
        if not self._failing:
            level = logging.ERROR if is_defect else logging.WARNING
            message = "%s does not run, trying again: %s"
            logger.log(level, message, self._name, reason, exc_info=is_defect)
        self._failing = True
