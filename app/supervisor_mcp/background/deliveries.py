"""Deliveries: every process takes requests that are due, sends them, and notes the outcomes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from random import SystemRandom
from typing import Literal

import msgspec
from msgspec import Struct

from supervisor_mcp.background.sender import Delivery, Outcome, Sender
from supervisor_mcp.errors import Problem
from supervisor_mcp.json_text import Json
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.telemetry import counts

logger = logging.getLogger(__name__)

# Between two looks for what is due.
STEP_SECONDS = 1.0
# Requests of a process at once.
AT_ONCE = 32
# What requests under way get to end when the process does, and what their record may take.
STOP_SECONDS = 2.0
# Of the waits between attempts: receivers that failed together are not asked together again.
random = SystemRandom().random
STOPPED = Outcome(delivered=False, retry=True, detail="the service was stopped")


class Result(Struct):
    """What has become of a request, as `api.record_deliveries` takes it."""

    delivery_id: str
    delivered: bool
    retry: bool
    detail: str
    jitter: float


class Attempt(Struct):
    """An attempt as it was noted, as `api.record_deliveries` answers."""

    subscription: str
    group: str
    attempts: int
    outcome: Literal["delivered", "failed", "given_up"]
    error: str | None


class Deliveries:
    """Requests that this process has claimed.

    A claim ends by itself. What a process has sent, but could not record, is sent again by
    another one under the same id.
    """

    def __init__(
        self,
        context: Context,
        sender: Sender,
        clock: Clock,
        *,
        jitter: Callable[[], float] = random,
    ) -> None:
        self._database = context.database
        self._sender = sender
        self._clock = clock
        self._jitter = jitter
        self._under_way: dict[str, asyncio.Task[Outcome]] = {}

    async def step(self) -> bool:
        """Note what has ended and send what is due; whether any is under way. Raises `Problem`."""
        await self._record()
        await self._take()
        if self._under_way:
            await asyncio.wait(
                self._under_way.values(),
                timeout=STEP_SECONDS,
                return_when=asyncio.FIRST_COMPLETED,
            )
        return bool(self._under_way)

    async def stop(self) -> None:
        """Let requests under way end, and leave the others to another process."""
        tasks = set(self._under_way.values())
        if not tasks:
            return
        _, unended = await asyncio.wait(tasks, timeout=STOP_SECONDS)
        for task in unended:
            task.cancel()
        await asyncio.gather(*unended, return_exceptions=True)
        with suppress(Problem, TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await self._record()

    async def _take(self) -> None:
        room = AT_ONCE - len(self._under_way)
        if room <= 0:
            return
        (taken,) = await self._database.call_in_background(
            "take_deliveries", {"limit": room, "now": self._clock()}, read_only=False
        )
        for delivery in msgspec.json.decode(taken, type=list[Delivery]):
            self._under_way[delivery.delivery_id] = asyncio.create_task(
                self._sender.send(delivery, self._clock())
            )

    async def _record(self) -> None:
        """Note what has become of the requests that have ended; kept for the next time if not."""
        ended = {name: task for name, task in self._under_way.items() if task.done()}
        if not ended:
            return
        results = [self._result(name, task) for name, task in ended.items()]
        (noted,) = await self._database.call_in_background(
            "record_deliveries",
            {"results": Json(msgspec.json.encode(results)), "now": self._clock()},
            read_only=False,
        )
        for name in ended:
            del self._under_way[name]
        for attempt in msgspec.json.decode(noted, type=list[Attempt]):
            _report(attempt)

    def _result(self, delivery_id: str, task: asyncio.Task[Outcome]) -> Result:
        outcome = STOPPED if task.cancelled() else task.result()
        return Result(delivery_id, outcome.delivered, outcome.retry, outcome.detail, self._jitter())


def _report(attempt: Attempt) -> None:
    """Count an attempt, and log the end of a request that is not delivered."""
    counts.count_delivery(attempt.subscription, attempt.outcome)
    if attempt.outcome == "given_up":
        # Reasons name no URL: it may contain a key.
        logger.warning(
            "delivery given up: %s",
            attempt.error,
            extra={
                "subscription": attempt.subscription,
                "group": attempt.group,
                "attempts": attempt.attempts,
            },
        )
