"""How far a standby is behind its primary, and which of the two answers.

Both say once a second where their write-ahead log ends. What the primary had written when it was
asked, and the standby has not replayed, is the lag; it is measured by the clock of this process.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

from supervisor_mcp.db import Database
from supervisor_mcp.errors import Problem, unavailable

logger = logging.getLogger(__name__)

T = TypeVar("T")

INTERVAL_SECONDS = 1.0
# A server that has not said where it is for so long does not answer.
ANSWER_SECONDS = 2.0
# An hour: of a longer lag, the age of its oldest part is known all the same.
MOST_MARKS = 3600


class Lag:
    """Positions of a primary, with the times when it had reached them, that a standby lacks."""

    def __init__(self) -> None:
        self._missing: deque[tuple[float, int]] = deque()

    def reach(self, now: float, position: int) -> None:
        """The primary has reached a position."""
        if self._missing and position < self._missing[-1][1]:
            # Another primary, without what the last one had not replicated.
            self._missing.clear()
        if len(self._missing) == MOST_MARKS:
            self._missing.pop()
        self._missing.append((now, position))

    def replay(self, now: float, position: int) -> float:
        """The standby has replayed the log to a position: how many seconds it is behind."""
        while self._missing and self._missing[0][1] <= position:
            self._missing.popleft()
        return now - self._missing[0][0] if self._missing else 0.0


class Server:
    """A database, and whether it answers."""

    def __init__(self, database: Database, name: str) -> None:
        self.database = database
        self._name = name
        self._lost = asyncio.Event()
        self.age_seconds: float | None = None

    @property
    def is_away(self) -> bool:
        """Whether it did not answer when it was asked last."""
        return self._lost.is_set()

    async def locate(self) -> int | None:
        """Ask where its log ends; None when it does not answer in time."""
        asking = asyncio.create_task(self.database.read_aside("get_replication", {}))
        asking.add_done_callback(_retrieve)
        # To cancel a statement takes as long as the server likes; nobody waits for it.
        await asyncio.wait({asking}, timeout=ANSWER_SECONDS)
        if not asking.done() or isinstance(asking.exception(), Problem):
            asking.cancel()
            if not self.is_away:
                logger.warning("the %s does not answer", self._name)
            self._lost.set()
            return None
        _, position, self.age_seconds = asking.result()
        if self.is_away:
            logger.info("the %s answers again", self._name)
        self._lost.clear()
        return int(position)

    async def is_lost(self) -> bool:
        """Whether it does not answer, asked now unless that is known."""
        return self.is_away or await self.locate() is None

    async def answer(self, call: Callable[[Database], Awaitable[T]]) -> T:
        """What a call answers, which ends when the server goes away. Raises `Problem`."""
        calling = asyncio.ensure_future(call(self.database))
        losing = asyncio.create_task(self._lost.wait())
        try:
            await asyncio.wait({calling, losing}, return_when=asyncio.FIRST_COMPLETED)
            if calling.done():
                return calling.result()
            raise unavailable()
        finally:
            calling.add_done_callback(_retrieve)
            calling.cancel()
            losing.cancel()
            # An error has this frame, which must not have the error in turn.
            del calling


class Replication:
    """A primary and its standby, followed for as long as the process runs."""

    def __init__(self, primary: Database, standby: Database, *, most_lag_seconds: float) -> None:
        self.primary = Server(primary, "primary")
        self.standby = Server(standby, "standby")
        self._most_lag_seconds = most_lag_seconds
        self._lag = Lag()
        # None before it was measured, and while the standby does not answer.
        self.lag_seconds: float | None = None
        self._following: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Open the pool of the standby, and begin to follow both."""
        await self.standby.database.open()
        # One that hangs does not keep the other one from being asked.
        for follow in (self._follow_primary, self._follow_standby):
            self._following.append(asyncio.create_task(_repeat(follow)))

    async def stop(self) -> None:
        """Stop following, and close the pool of the standby."""
        for task in self._following:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self.standby.database.close()

    @property
    def reason(self) -> str | None:
        """Why reads are not divided as they should be, in words; None when they are."""
        if self.standby.is_away:
            return "the standby does not answer, so the primary answers everything"
        if self.lag_seconds is None:
            return "the standby has not answered yet, so the primary answers everything"
        if self.primary.is_away:
            return (
                "the primary does not answer: the standby answers reads,"
                f" and is {self.lag_seconds:.1f} s behind"
            )
        if self.lag_seconds > self._most_lag_seconds:
            return (
                f"the standby is {self.lag_seconds:.1f} s behind, more than"
                f" {self._most_lag_seconds:g} s, so the primary answers everything"
            )
        return None

    @property
    def reads_from_standby(self) -> bool:
        """Whether the standby is asked at all."""
        if self.standby.is_away or self.lag_seconds is None:
            return False
        return self.primary.is_away or self.lag_seconds <= self._most_lag_seconds

    def state(self) -> dict[str, float]:
        """The numbers that monitoring asks for; no lag while the standby does not answer."""
        lag = {} if self.lag_seconds is None else {"standby_lag_seconds": self.lag_seconds}
        return {
            "standby_up": float(not self.standby.is_away and self.lag_seconds is not None),
            "reads_from_standby": float(self.reads_from_standby),
            **lag,
        }

    async def _follow_primary(self) -> None:
        position = await self.primary.locate()
        if position is not None:
            self._lag.reach(time.monotonic(), position)

    async def _follow_standby(self) -> None:
        position = await self.standby.locate()
        if position is None:
            self.lag_seconds = None
            return
        lag = self._lag.replay(time.monotonic(), position)
        if self.primary.is_away and self.standby.age_seconds is not None:
            # What the primary did after it was asked last is not known.
            lag = max(lag, self.standby.age_seconds)
        self.lag_seconds = lag


async def _repeat(step: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await step()
        except Exception:
            logger.exception("a database cannot be followed")
        await asyncio.sleep(INTERVAL_SECONDS)


def _retrieve(call: asyncio.Future[Any]) -> None:
    """Mark an error as seen: the caller may have gone."""
    if not call.cancelled():
        call.exception()
