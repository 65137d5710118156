"""Keep-alives of concurrent calls, gathered into one statement at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from supervisor_mcp import identity
from supervisor_mcp.db import Database
from supervisor_mcp.operations.outcome import fails_every_call
from supervisor_mcp.operations.waiting_call import WaitingCall

FUNCTION = "heartbeat"
# What one statement takes; the rest of a longer queue goes into the next one.
MOST_NAMES = 10_000
# How long a call waits for others: each statement takes time from queries.
GATHER_SECONDS = 0.01


class _Answer(Struct):
    renewed: int
    unknown: list[str]


class _Call(WaitingCall):
    """Whose keep-alives to renew, and when the call came."""

    def __init__(self, names: Sequence[str], now: datetime) -> None:
        super().__init__()
        self.names = names
        self.now = now


class HeartbeatWriter:
    """Renews keep-alives with one statement at a time: what comes meanwhile goes into the next.

    So a thousand calls a second are a hundred transactions. A call is answered when its
    keep-alives are committed. A statement that fails is halved until the call is found that it
    fails for.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[_Call] = deque()
        self._task: asyncio.Task[None] | None = None
        self._alone: set[asyncio.Task[None]] = set()

    async def renew(self, names: Sequence[str], now: datetime) -> bytes:
        """The answer to a call of its own, as JSON; it is committed. Raises `Problem`."""
        if len(names) > MOST_NAMES:
            return await self._write(names, now)
        # By no name: an error has this frame, which must not have the error by its call.
        return await self._wait(_Call(names, now))

    async def stop(self) -> None:
        """Finish what waits."""
        if self._task is not None:
            await self._task
        await asyncio.gather(*self._alone)

    def _wait(self, call: _Call) -> asyncio.Future[bytes]:
        self._waiting.append(call)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._renew_waiting())
        return call.answer

    async def _renew_waiting(self) -> None:
        while self._waiting:
            await asyncio.sleep(GATHER_SECONDS)
            await self._renew(self._take())

    async def _renew(self, calls: list[_Call]) -> None:
        """Answer calls; of those that a statement would refuse together, only the bad ones fail."""
        try:
            await self._renew_together(calls)
        except Exception as error:
            if len(calls) > 1 and not fails_every_call(error):
                half = len(calls) // 2
                await self._renew(calls[:half])
                await self._renew(calls[half:])
                return
            for call in calls:
                call.fail(error)

    def _take(self) -> list[_Call]:
        """The next calls, as many as one statement takes, of callers who may do the same."""
        calls: list[_Call] = []
        left: deque[_Call] = deque()
        size = 0
        bounds = self._waiting[0].caller.bounds
        while self._waiting and size + len(self._waiting[0].names) <= MOST_NAMES:
            call = self._waiting.popleft()
            if call.caller.bounds != bounds:
                left.append(call)
                continue
            calls.append(call)
            size += len(call.names)
        self._waiting.extendleft(reversed(left))
        return calls

    async def _renew_together(self, calls: list[_Call]) -> None:
        if len(calls) == 1:
            (call,) = calls
            call.succeed(await self._write_for(call, call.names, call.now))
            return
        names = list(dict.fromkeys(name for call in calls for name in call.names))
        answer = await self._write_for(calls[0], names, max(call.now for call in calls))
        unknown = set(msgspec.json.decode(answer, type=_Answer).unknown)
        for call in calls:
            own = set(call.names)
            if len(call.names) == 1 and own <= unknown:
                # Alone, an unknown name is an error, which the database words.
                alone = asyncio.create_task(self._renew_alone(call))
                self._alone.add(alone)
                alone.add_done_callback(self._alone.discard)
            else:
                missing = sorted(own & unknown)
                call.succeed(msgspec.json.encode(_Answer(len(own) - len(missing), missing)))

    async def _renew_alone(self, call: _Call) -> None:
        try:
            call.succeed(await self._write_for(call, call.names, call.now))
        except Exception as error:
            call.fail(error)

    async def _write_for(self, call: _Call, names: Sequence[str], now: datetime) -> bytes:
        # This task began for another caller.
        with identity.acting_as(call.caller):
            return await self._write(names, now)

    async def _write(self, names: Sequence[str], now: datetime) -> bytes:
        return await self._database.write_json(FUNCTION, {"names": list(names), "now": now})
