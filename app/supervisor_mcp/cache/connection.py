"""One connection to Redis that any number of tasks share for reading.

Commands of one turn of the event loop leave in one write; answers come back in the order of the
commands. redis-py lends a connection to one task at a time and costs about twenty times as much
per command, which only matters on the hot path.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from typing import Any, cast

import hiredis
from redis.asyncio.connection import SSLConnection, UnixDomainSocketConnection, parse_url

# After a failure, how long every call fails at once instead of trying to connect.
PAUSE_SECONDS = 0.1


class ConnectionFailure(Exception):  # noqa: N818  the field calls it a failure
    """Redis cannot be reached, or did not answer in time, or refused."""


class Connection:
    """Tasks may call `get` at will; a lost connection is made anew by the next call."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        self._options = cast("dict[str, Any]", parse_url(url))
        self._timeout = timeout_seconds
        self._wire: _Wire | None = None
        self._connecting = asyncio.Lock()
        self._resume_at = 0.0

    async def get(self, *keys: str) -> list[bytes | None]:
        """The values of string keys, None where there is none. Raises `ConnectionFailure`."""
        wire = self._wire
        if wire is None or wire.lost:
            wire = await self._connect()
        return cast("list[bytes | None]", await wire.send("MGET", *keys))

    def close(self) -> None:
        """Drop the connection; commands under way fail."""
        if self._wire is not None:
            self._wire.abort()

    async def _connect(self) -> _Wire:
        async with self._connecting:
            if self._wire is not None and not self._wire.lost:
                return self._wire
            loop = asyncio.get_running_loop()
            if loop.time() < self._resume_at:
                raise ConnectionFailure("Redis was not there a moment ago")
            try:
                async with asyncio.timeout(self._timeout):
                    wire = await self._greeted(await self._open(loop))
            except (OSError, TimeoutError, ConnectionFailure) as error:
                self._resume_at = loop.time() + PAUSE_SECONDS
                raise ConnectionFailure(f"no connection to Redis: {error}") from error
            self._wire = wire
            return wire

    async def _open(self, loop: asyncio.AbstractEventLoop) -> _Wire:
        def wire() -> _Wire:
            return _Wire(loop, self._timeout)

        kind = self._options.get("connection_class")
        if kind is UnixDomainSocketConnection:
            return (await loop.create_unix_connection(wire, self._options["path"]))[1]
        host, port = self._options.get("host", "localhost"), self._options.get("port", 6379)
        context = ssl.create_default_context() if kind is SSLConnection else None
        return (await loop.create_connection(wire, host, port, ssl=context))[1]

    async def _greeted(self, wire: _Wire) -> _Wire:
        try:
            if "password" in self._options:
                user = self._options.get("username", "default")
                await wire.send("AUTH", user, self._options["password"])
            if self._options.get("db"):
                await wire.send("SELECT", str(self._options["db"]))
        except BaseException:
            wire.abort()
            raise
        return wire


class _Wire(asyncio.Protocol):
    """The connection: commands waiting to be written, and futures waiting for answers."""

    def __init__(self, loop: asyncio.AbstractEventLoop, timeout_seconds: float) -> None:
        self.lost = False
        self._loop = loop
        self._timeout = timeout_seconds
        self._reader = hiredis.Reader()
        self._unsent: list[bytes] = []
        self._waiting: deque[asyncio.Future[object]] = deque()
        self._watch: asyncio.TimerHandle | None = None
        self._answered = 0

    def send(self, *command: str) -> asyncio.Future[object]:
        """The answer to come. A caller that is cancelled leaves its place in the queue."""
        future = self._loop.create_future()
        if self.lost:
            future.set_exception(ConnectionFailure("the connection is lost"))
            return future
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent.append(hiredis.pack_command(command))  # type: ignore[arg-type]
        self._waiting.append(future)
        if self._watch is None:
            self._watch_from(self._answered)
        return future

    def abort(self) -> None:
        """End the connection; what waits fails."""
        self._transport.abort()
        self._fail(ConnectionFailure("the connection was closed"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Give every whole answer to the future that is first in the queue."""
        try:
            self._reader.feed(data)
            while (answer := self._reader.gets()) is not False:
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
        self._watch = self._loop.call_later(self._timeout, self._check, answered)

    def _check(self, answered: int) -> None:
        """Without one answer in a whole timeout the connection is given up."""
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
