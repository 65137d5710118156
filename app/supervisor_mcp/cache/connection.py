"""One connection to Redis that any number of tasks share for reading.

Commands of one turn of the event loop go out in one write; answers come back in the order of the
commands. redis-py connects, so that every option of the URL means what it means there. For the
reads themselves it costs a third more CPU per cached answer (bench/RESULTS.md), even with one MGET
for all reads of a turn.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import cast

import hiredis
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

# After a failure, how long every call fails at once instead of trying to connect.
PAUSE_SECONDS = 0.1


class ConnectionFailure(Exception):  # noqa: N818  the field calls it a failure
    """Redis cannot be reached, or did not answer in time, or refused."""


class Connection:
    """Tasks may call `get` at will; the next call replaces a lost connection.

    `timeout_seconds` applies where the URL has no socket_timeout of its own. Raises ValueError for
    a URL that redis-py refuses.
    """

    def __init__(self, url: str, timeout_seconds: float) -> None:
        self._pool = ConnectionPool.from_url(
            url,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            retry=Retry(NoBackoff(), 0),
        )
        try:
            self._new()
        except TypeError as error:
            raise ValueError(f"the Redis URL has an unsupported option: {error}") from None
        self._wire: _Wire | None = None
        self._connecting = asyncio.Lock()
        self._resume_at = 0.0
        self._failing = False

    async def get(self, *keys: str) -> list[bytes | None]:
        """The values of string keys, None for a missing one. Raises `ConnectionFailure`."""
        wire = self._wire
        if wire is None or wire.lost:
            wire = await self._connect()
        return cast("list[bytes | None]", await wire.send("MGET", *keys))

    def close(self) -> None:
        """Drop the connection; commands under way fail."""
        if self._wire is not None:
            self._wire.abort()

    def _new(self) -> AbstractConnection:
        return cast("AbstractConnection", self._pool.make_connection())  # type: ignore[no-untyped-call]

    async def _connect(self) -> _Wire:
        async with self._connecting:
            if self._wire is not None and not self._wire.lost:
                return self._wire
            loop = asyncio.get_running_loop()
            if loop.time() < self._resume_at:
                raise ConnectionFailure("Redis was unavailable a moment ago")
            opened = self._new()
            try:
                await opened.connect()  # type: ignore[no-untyped-call]
            except (RedisError, OSError) as error:
                self._resume_at = loop.time() + PAUSE_SECONDS
                if not self._failing:
                    logger.warning("cannot connect to Redis, computing every answer: %s", error)
                self._failing = True
                raise ConnectionFailure(f"cannot connect to Redis: {error}") from error
            if self._failing:
                logger.info("connected to Redis again")
            self._failing = False
            self._wire = _Wire(opened, loop)
            return self._wire


class _Wire(asyncio.Protocol):
    """The connection: commands waiting to be written, and futures waiting for answers."""

    def __init__(self, opened: AbstractConnection, loop: asyncio.AbstractEventLoop) -> None:
        self.lost = False
        self._loop = loop
        self._timeout = opened.socket_timeout
        self._reader = hiredis.Reader()
        self._unsent: list[bytes] = []
        self._waiting: deque[asyncio.Future[object]] = deque()
        self._watch: asyncio.TimerHandle | None = None
        self._answered = 0
        # The writer closes its transport when it is collected, so it is kept, and kept here only.
        self._writer = cast("asyncio.StreamWriter", opened._writer)
        opened._writer = opened._reader = None
        self._transport = cast("asyncio.Transport", self._writer.transport)
        self._transport.set_protocol(self)

    def send(self, *command: str) -> asyncio.Future[object]:
        """The answer to come. A cancelled caller keeps its place in the queue."""
        future = self._loop.create_future()
        if self.lost:
            future.set_exception(ConnectionFailure("the connection is lost"))
            return future
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent.append(hiredis.pack_command(command))  # type: ignore[arg-type]
        self._waiting.append(future)
        if self._watch is None and self._timeout is not None:
            self._watch_from(self._answered)
        return future

    def abort(self) -> None:
        """End the connection; what waits fails."""
        self._transport.abort()
        self._fail(ConnectionFailure("the connection was closed"))

    def data_received(self, data: bytes) -> None:
        """Give every complete answer to the future that is first in the queue."""
        try:
            self._reader.feed(data)
            while (answer := self._reader.gets()) is not False:
                if isinstance(answer, hiredis.PushNotification):
                    continue
                future = self._waiting.popleft()
                self._answered += 1
                if future.done():
                    continue
                if isinstance(answer, hiredis.ReplyError):
                    future.set_exception(ConnectionFailure(str(answer)))
                else:
                    future.set_result(answer)
        except (hiredis.ProtocolError, IndexError):
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what waits."""
        self._fail(ConnectionFailure(f"the connection was lost: {exc}"))

    def _flush(self) -> None:
        if not self.lost:
            self._transport.write(b"".join(self._unsent))
        self._unsent.clear()

    def _watch_from(self, answered: int) -> None:
        assert self._timeout is not None  # noqa: S101
        self._watch = self._loop.call_later(self._timeout, self._check, answered)

    def _check(self, answered: int) -> None:
        """Give the connection up when a whole timeout brought no answer."""
        self._watch = None
        if not self._waiting:
            return
        if self._answered == answered:
            self.abort()
        else:
            self._watch_from(self._answered)

    def _fail(self, error: ConnectionFailure) -> None:
        self.lost = True
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_exception(error)
