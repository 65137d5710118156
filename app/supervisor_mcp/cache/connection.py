"""The connection of this process to Redis, and a circuit breaker before it.

While the circuit is closed, a call waits for its answer, but not long. A call that fails opens it:
from then on every call fails at once, and a task of its own connects again. So a Redis that hangs
costs one answer a short wait, and the others nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import ssl
from contextlib import suppress
from typing import cast

from redis.asyncio.connection import (
    AbstractConnection,
    ConnectionPool,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from supervisor_mcp.cache.copies import Copies
from supervisor_mcp.cache.wire import ConnectionFailure, Refusal, Then, Wire

__all__ = ["Connection", "ConnectionFailure", "Misconfigured", "Script"]

logger = logging.getLogger(__name__)

# How long a call waits, where the URL has no socket_timeout of its own.
ANSWER_SECONDS = 0.05
# How long the task that connects waits, where the URL has no socket_connect_timeout of its own.
CONNECT_SECONDS = 1.0
# Between its attempts; each pause is twice the one before.
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 1.0
# Errors of the server, not of a command: it may have become a replica, or hold no data yet.
ENDING = {"READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "MOVED", "NOAUTH"}
CANNOT_CONNECT = "Redis cannot be reached"


class Script:
    """A Lua script, which is sent whole only where Redis does not know it."""

    __slots__ = ("digest", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


# What everything here needs: a script that writes.
CHECK = Script("return redis.call('set', KEYS[1], '1', 'px', 1000)")
CHECKED = "supervisor:check"


class Misconfigured(ConnectionFailure):
    """No such server can ever be used; the settings have to change."""


class Connection:
    """Tasks may call it at will.

    Raises ValueError for a URL that redis-py refuses, and `Misconfigured` for one that names
    certificates that cannot be read.
    """

    def __init__(self, url: str) -> None:
        self._pool = ConnectionPool.from_url(
            url,
            **{"socket_connect_timeout": CONNECT_SECONDS, "retry": Retry(NoBackoff(), 0)},
        )
        given = self._pool.connection_kwargs
        self._seconds = float(given.pop("socket_timeout", None) or ANSWER_SECONDS)
        # A handshake is several answers.
        given["socket_timeout"] = given["socket_connect_timeout"]
        # Chosen after it is known what the server is: a Sentinel has no databases.
        self._database = int(given.pop("db", 0))
        try:
            made = self._new()
        except TypeError as error:
            raise ValueError(f"the Redis URL has an unsupported option: {error}") from None
        if isinstance(made, SSLConnection):
            _read_certificates(made)
        self._is_local = isinstance(made, UnixDomainSocketConnection)
        self._wire: Wire | None = None
        self._opening: asyncio.Task[None] | None = None
        # Set while it is known whether Redis can be used.
        self._known = asyncio.Event()
        # Why Redis is not used; None while the circuit is closed.
        self.reason: str | None = None

    async def open(self) -> None:
        """Wait for the first connection, or the first failure, for longer than a call does."""
        if self._opening is None and self._wire is None:
            self._opening = asyncio.create_task(self._open())
        await self._known.wait()

    @property
    def copies(self) -> Copies | None:
        """Copies of answers in this process; None where it keeps none."""
        return None if self._wire is None or self._wire.lost else self._wire.copies

    async def get(self, *keys: str) -> list[bytes | None]:
        """The values of string keys, None for a missing one. Raises `ConnectionFailure`."""
        return cast("list[bytes | None]", await self.run("MGET", *keys))

    async def run_script(
        self,
        script: Script,
        keys: list[str],
        arguments: list[str | bytes | int],
        then: Then | None = None,
    ) -> object:
        """What a script returns, given to `then` first. Raises `ConnectionFailure`."""
        given = (len(keys), *keys, *arguments)
        try:
            return await self.run("EVALSHA", script.digest, *given, then=then)
        except Refusal as refusal:
            if refusal.code != "NOSCRIPT":
                raise
        return await self.run("EVAL", script.text, *given, then=then)

    async def run(self, *command: str | bytes | int, then: Then | None = None) -> object:
        """The answer to a command, given to `then` first. Raises `ConnectionFailure`."""
        wire = self._wire
        if wire is None or wire.lost:
            wire = await self._reached()
        try:
            return await wire.send(*command, then=then)
        except Refusal as refusal:
            if refusal.code in ENDING:
                self._open_circuit(refusal)
            raise
        except ConnectionFailure as failure:
            if wire is self._wire:
                self._open_circuit(failure)
            raise

    async def check(self) -> str | None:
        """Why Redis is not used; None when it does what is needed of it."""
        if self.reason is None:
            try:
                await self.run_script(CHECK, [CHECKED], [])
            except ConnectionFailure as failure:
                return failure.reason
        return self.reason

    async def examine(self) -> None:
        """Connect once, and end the connection. Raises `ConnectionFailure`, or `Misconfigured`."""
        (await self._connect()).abort()

    def close(self) -> None:
        """Drop the connection; commands under way fail."""
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        if self._wire is not None:
            self._wire.abort()

    def _new(self) -> AbstractConnection:
        return cast("AbstractConnection", self._pool.make_connection())  # type: ignore[no-untyped-call]

    async def _reached(self) -> Wire:
        """The connection, for which a call waits only while nothing is known of Redis."""
        if self._opening is None:
            self._known.clear()
            self._opening = asyncio.create_task(self._open())
        if self.reason is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._seconds):
                    await self._known.wait()
        wire = self._wire
        if wire is None or wire.lost:
            if self.reason is None:
                late = f"no connection within {self._seconds * 1000:.0f} ms"
                self._open_circuit(ConnectionFailure(late))
            raise ConnectionFailure(self.reason or CANNOT_CONNECT)
        return wire

    async def _open(self) -> None:
        """Connect, however long it takes, and close the circuit."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                self._wire = await self._connect()
            except ConnectionFailure as failure:
                self._open_circuit(failure)
            else:
                break
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        if self.reason is not None:
            logger.info("Redis is used again")
        self.reason = None
        self._opening = None
        self._known.set()

    def _open_circuit(self, failure: ConnectionFailure) -> None:
        if self._wire is not None:
            self._wire.abort()
            self._wire = None
        if failure.reason != self.reason:
            logger.warning(
                "Redis is not used, answers come from the database and each process counts"
                " requests by itself: %s",
                failure,
            )
        self.reason = failure.reason
        self._known.set()
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())

    async def _connect(self) -> Wire:
        opened = self._new()
        try:
            await opened.connect()  # type: ignore[no-untyped-call]
        except (RedisError, OSError) as error:
            raise ConnectionFailure(f"cannot connect: {error}", _reason(error)) from None
        # A server that has just connected may take longer for its first answers.
        wire = Wire(opened, CONNECT_SECONDS, asyncio.get_running_loop())
        try:
            await _examine(wire, self._database)
            if self._is_local:
                with suppress(Refusal):
                    await wire.keep_copies()
        except BaseException:
            wire.abort()
            raise
        wire.expect(self._seconds)
        return wire


async def _examine(wire: Wire, database: int) -> None:
    """Raise `ConnectionFailure` for a server that does not do what is needed of it."""
    try:
        mode = _mode(await wire.send("HELLO"))
    except Refusal:
        # Older than Redis 6, or a proxy.
        mode = None
    if mode == b"cluster":
        raise Misconfigured("Redis runs as a cluster, which is not supported")
    if mode == b"sentinel":
        raise Misconfigured("this is a Sentinel, not the Redis that it watches")
    if database:
        await _select(wire, database)
    await wire.send("EVAL", CHECK.text, 1, CHECKED)


async def _select(wire: Wire, database: int) -> None:
    try:
        await wire.send("SELECT", database)
    except Refusal as refusal:
        if refusal.code != "ERR":
            raise
        reason = f"Redis has no database {database}"
        raise ConnectionFailure(f"{reason}: {refusal}", reason) from None


def _read_certificates(connection: SSLConnection) -> None:
    try:
        connection.ssl_context.get()
    except (RedisError, OSError) as error:
        # A wrong file is an error of OpenSSL, which is an OSError too.
        raise Misconfigured(f"the certificates that it names cannot be read ({error})") from None


def _mode(hello: object) -> object:
    """The mode in an answer to HELLO: a map, or before version 3 of the protocol a list."""
    if isinstance(hello, list):
        hello = dict(zip(hello[::2], hello[1::2], strict=True))
    return hello.get(b"mode") if isinstance(hello, dict) else None


def _reason(error: BaseException) -> str:
    """A failure to connect in words without addresses."""
    if isinstance(error, AuthenticationError):
        return "Redis refuses the password"
    if isinstance(error, RedisTimeoutError):
        return "Redis does not answer"
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return "the certificate of Redis is not trusted"
        if isinstance(seen, ssl.SSLError):
            return "Redis does not speak TLS as the URL asks"
        seen = seen.__cause__ or seen.__context__
    return CANNOT_CONNECT
