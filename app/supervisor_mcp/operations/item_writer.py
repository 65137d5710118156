"""Items of small requests that come at once, gathered into one statement."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime

from supervisor_mcp import identity
from supervisor_mcp.operations.outcome import fails_every_call
from supervisor_mcp.operations.waiting_call import WaitingCall

# A larger request takes a statement of its own: others would wait for it.
MOST_BYTES = 2048
MOST_REQUESTS = 500
# How long a request waits for the end of a statement, at most.
GATHER_SECONDS = 0.01
# What one statement does not store is sent in so many parts.
PARTS = 8
# How long each request is sent alone after most of those in a statement had to be.
PAUSE_SECONDS = 0.5

Alone = Callable[[], Awaitable[bytes]]
# Documents, and the times at which they came. None says that nothing was stored.
Together = Callable[[Sequence[bytes], Sequence[datetime]], Awaitable[list[bytes] | None]]


class _Call(WaitingCall):
    """What a request sends, when it came, and how it is stored."""

    def __init__(self, document: bytes, now: datetime, alone: Alone, together: Together) -> None:
        super().__init__()
        self.document = document
        self.now = now
        self.alone = alone
        self.together = together


class ItemWriter:
    """Lets small requests that come while a statement is under way share the next one.

    A request that comes alone goes out at once. A receipt is given when the items are committed.
    A statement takes many requests only if all their items are new and good; otherwise it stores
    nothing, and what it had is sent in parts, in the end each request alone. While most requests
    are of that kind, as when what is stored is sent again, none is gathered.
    """

    def __init__(self) -> None:
        self._under_way = 0
        self._paused_until = 0.0
        self._waiting: list[_Call] = []
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def store(
        self, document: bytes, now: datetime, alone: Alone, together: Together
    ) -> bytes:
        """The receipt of a request, sent by `alone` or by `together`. Raises `Problem`."""
        if self._under_way == 0 or self._paused_until > asyncio.get_running_loop().time():
            self._under_way += 1
            try:
                return await alone()
            finally:
                self._end_statement()
        # By no name: an error has this frame, which must not have the error by its call.
        return await self._wait(_Call(document, now, alone, together))

    async def stop(self) -> None:
        """Finish what waits."""
        while self._waiting or self._tasks:
            self._store_waiting()
            await asyncio.gather(*self._tasks)

    def _wait(self, call: _Call) -> asyncio.Future[bytes]:
        self._waiting.append(call)
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(GATHER_SECONDS, self._store_waiting)
        return call.answer

    def _end_statement(self) -> None:
        self._under_way -= 1
        self._store_waiting()

    def _store_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        for calls in _shared(waiting):
            self._under_way += 1
            task = asyncio.create_task(self._store(calls))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _store(self, calls: list[_Call]) -> None:
        try:
            shared = await _store_calls(calls)
            if len(calls) > 1 and shared < len(calls) / 2:
                self._paused_until = asyncio.get_running_loop().time() + PAUSE_SECONDS
        finally:
            self._end_statement()


def _shared(calls: list[_Call]) -> Iterator[list[_Call]]:
    """The calls that may share a statement: senders with other bounds write elsewhere."""
    by_bounds: dict[object, list[_Call]] = {}
    for call in calls:
        by_bounds.setdefault(call.caller.bounds, []).append(call)
    for same in by_bounds.values():
        yield from _parts(same, MOST_REQUESTS)


def _parts(calls: list[_Call], size: int) -> Iterator[list[_Call]]:
    for start in range(0, len(calls), size):
        yield calls[start : start + size]


async def _store_calls(calls: list[_Call]) -> int:
    """Answer calls; how many of them shared a statement."""
    if len(calls) == 1:
        await _store_alone(calls[0])
        return 0
    try:
        receipts = await _store_together(calls)
    except Exception as error:
        if fails_every_call(error):
            for call in calls:
                call.fail(error)
            return len(calls)
        receipts = None
    if receipts is None:
        size = -(-len(calls) // PARTS)
        return sum(await asyncio.gather(*map(_store_calls, _parts(calls, size))))
    for call, receipt in zip(calls, receipts, strict=True):
        call.succeed(receipt)
    return len(calls)


async def _store_together(calls: list[_Call]) -> list[bytes] | None:
    # This task began for another caller.
    with identity.acting_as(calls[0].caller):
        return await calls[0].together(
            [call.document for call in calls], [call.now for call in calls]
        )


async def _store_alone(call: _Call) -> None:
    try:
        with identity.acting_as(call.caller):
            call.succeed(await call.alone())
    except Exception as error:
        call.fail(error)
