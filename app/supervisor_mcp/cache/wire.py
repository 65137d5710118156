"""An open connection to Redis: commands that any number of tasks send, answers in their order.

Commands of one turn of the event loop go out in one write. redis-py has connected, so that every
option of the URL means what it means there. For the reads themselves it costs a third more CPU per
cached answer (bench/RESULTS.md), even with one MGET for all reads of a turn.
"""

from __future__ import annotations

import asyncio
import select
from collections import deque
from collections.abc import Callable
from typing import cast

import hiredis
from redis.asyncio.connection import AbstractConnection

from supervisor_mcp.cache.copies import Copies

# What is done with an answer before anything that Redis says after it is read.
Then = Callable[[object], None]

# Where the event loop was busy, an answer may have come that nobody has read yet: what looks late
# gets this share of the time more.
GRACE = 0.2


class ConnectionFailure(Exception):  # noqa: N818  the field calls it a failure
    """Redis is not used; `reason` says why, without addresses and names."""

    def __init__(self, detail: str, reason: str | None = None) -> None:
        super().__init__(detail)
        self.reason = reason or detail


class Refusal(ConnectionFailure):
    """Redis answered a command with an error, which begins with `code`."""

    def __init__(self, error: str) -> None:
        self.code = error.partition(" ")[0]
        super().__init__(error, f"Redis answers {self.code}")


class Wire(asyncio.Protocol):
    """Takes the connection over from `opened`; `seconds` is how long an answer may take."""

    def __init__(
        self, opened: AbstractConnection, seconds: float, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.lost = False
        self._loop = loop
        self._seconds = seconds
        self._reader = hiredis.Reader()
        self._unsent: list[bytes] = []
        # With the times at which they were sent.
        self._waiting: deque[tuple[asyncio.Future[object], float, Then | None]] = deque()
        self._watch: asyncio.TimerHandle | None = None
        # The writer closes its transport when it is collected, so it is kept, and kept here only.
        self._writer = cast("asyncio.StreamWriter", opened._writer)
        opened._writer = opened._reader = None
        self._transport = cast("asyncio.Transport", self._writer.transport)
        self._transport.set_protocol(self)
        # None where Redis does not invalidate them.
        self.copies: Copies | None = None
        self._readable = select.poll()
        self._nothing_unread = False

    async def keep_copies(self) -> None:
        """Keep copies from now on, where Redis invalidates them in time. Raises `Refusal`."""
        # With several threads, it may answer one process before it informs another. In version 2
        # of the protocol, in which it informs nobody, this is a list.
        if await self.send("CONFIG", "GET", "io-threads") == {b"io-threads": b"1"}:
            await self.send("CLIENT", "TRACKING", "ON")
            self._readable.register(self._transport.get_extra_info("socket"), select.POLLIN)
            self.copies = Copies(self._has_unread, self._loop.time)

    def send(self, *command: str | bytes | int, then: Then | None = None) -> asyncio.Future[object]:
        """The answer to come, given to `then` first. A cancelled caller keeps its place."""
        future = self._loop.create_future()
        if self.lost:
            future.set_exception(ConnectionFailure("the connection is lost"))
            return future
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent.append(hiredis.pack_command(command))  # type: ignore[arg-type]
        self._waiting.append((future, self._loop.time(), then))
        if self._watch is None:
            self._watch = self._loop.call_later(self._seconds * (1 - GRACE), self._check, False)
        return future

    def expect(self, seconds: float) -> None:
        """From now on, while nothing waits, an answer may take so long."""
        self._seconds = seconds
        self._end_watch()

    def abort(self, reason: str = "the connection was closed") -> None:
        """End the connection; what waits fails."""
        self._transport.abort()
        self._fail(reason)

    def data_received(self, data: bytes) -> None:
        """Give every complete answer to the future that is first in the queue."""
        try:
            self._reader.feed(data)
            while (answer := self._reader.gets()) is not False:
                if isinstance(answer, hiredis.PushNotification):
                    self._hear(answer)
                    continue
                future, _, then = self._waiting.popleft()
                if then is not None:
                    then(answer)
                if future.done():
                    continue
                if isinstance(answer, hiredis.ReplyError):
                    future.set_exception(Refusal(str(answer)))
                else:
                    future.set_result(answer)
        except (hiredis.ProtocolError, IndexError):
            self.abort("the answer is not Redis's protocol")

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what waits."""
        self._fail(
            "the connection was lost" + (f": {exc}" if exc else ""), "the connection was lost"
        )

    def _hear(self, push: list[object]) -> None:
        """Take in what Redis says unasked."""
        if self.copies is not None and push[0] == b"invalidate":
            self.copies.drop(cast("list[bytes] | None", push[1]))

    def _has_unread(self) -> bool:
        """Whether Redis has said something that is not read yet.

        Asked once for all requests of a turn of the event loop: those that are read from now on
        are answered in a later one.
        """
        if self._nothing_unread:
            return False
        if self._readable.poll(0) or self._reader.has_data():
            return True
        self._nothing_unread = True
        self._loop.call_soon(self._end_turn)
        return False

    def _end_turn(self) -> None:
        self._nothing_unread = False

    def _flush(self) -> None:
        if not self.lost:
            self._transport.write(b"".join(self._unsent))
        self._unsent.clear()

    def _check(self, late: bool) -> None:
        """Give the connection up when the oldest command has waited too long."""
        self._watch = None
        if not self._waiting:
            return
        due = self._waiting[0][1] + self._seconds * (1 - GRACE) - self._loop.time()
        if due > 0:
            self._watch = self._loop.call_later(due, self._check, False)
        elif late:
            self.abort(f"no answer within {self._seconds * 1000:.0f} ms")
        else:
            self._watch = self._loop.call_later(self._seconds * GRACE, self._check, True)

    def _fail(self, detail: str, reason: str | None = None) -> None:
        self.lost = True
        self._end_watch()
        while self._waiting:
            future, _, _ = self._waiting.popleft()
            if not future.done():
                # One for each: tasks add their frames to what they raise.
                future.set_exception(ConnectionFailure(detail, reason))

    def _end_watch(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
