"""The pool of database connections, and reads and writes that are transactions of their own."""

from __future__ import annotations

import asyncio
import logging
import select
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import PoolTimeout

from supervisor_mcp.blocking import Blocking
from supervisor_mcp.connections import Aside, Pool, Probe
from supervisor_mcp.errors import (
    Problem,
    as_cause,
    from_database,
    from_statement,
    is_outage,
    statement_too_slow,
    takes_no_writes,
    too_slow,
)
from supervisor_mcp.json_text import own_adapters
from supervisor_mcp.transaction import (
    VISIBLE,
    Statement,
    call_of,
    query,
    settings_for,
    transact,
)

logger = logging.getLogger(__name__)

# The server's own limit comes first where it has one; the embedded server cannot interrupt itself.
GRACE_SECONDS = 2.0
# How long a call waits for a free connection.
POOL_SECONDS = 5.0
# Of four connections, the one that writes leave to reads: while a synchronous standby is away,
# every write waits.
WRITE_SHARE = 0.75
RETRIED = {"40001", "40P01"}
# The limit of a statement of a client where none is given.
QUERY_SECONDS = 10
# The limit of a call on a connection beside the pool.
ASIDE_SECONDS = 2


class Database:
    """Calls of functions in schema `api`, each in a transaction of its own."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int,
        statement_timeout_seconds: int,
        query_seconds: int = QUERY_SECONDS,
    ) -> None:
        self._timeout = statement_timeout_seconds
        self._query_timeout = min(statement_timeout_seconds, query_seconds)
        self._options: dict[str, Any] = {
            "autocommit": True,
            "prepare_threshold": None,
            "context": own_adapters(),
        }
        # By the function that they call.
        self._asides: defaultdict[str, Aside] = defaultdict(lambda: Aside(url, self._options))
        self._blocking = Blocking()
        self._probe = Probe(url, self._blocking)
        self._lost_write_at: float | None = None
        self._writing = asyncio.Semaphore(max(1, int(pool_size * WRITE_SHARE)))
        self._pool = Pool(
            url,
            kwargs=self._options,
            configure=self._listen,
            min_size=1,
            max_size=pool_size,
            timeout=POOL_SECONDS,
            # The pool waits twice as long after each failed attempt; after this time the next call
            # starts over, so that a database that is back is used at once.
            reconnect_timeout=POOL_SECONDS,
            open=False,
        )

    async def open(self) -> None:
        """Start to connect; a server that is not there yet is no error."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Close the connections; calls under way are ended."""
        for aside in self._asides.values():
            await aside.close()
        await self._pool.close()

    async def read(self, statement: Statement, arguments: Mapping[str, object]) -> tuple[Any, ...]:
        """The row that a statement answers, in a READ ONLY transaction.

        JSON comes as bytes. Raises `Problem`.
        """
        return await self._call(statement, arguments, read_only=True)

    async def write(self, statement: Statement, arguments: Mapping[str, object]) -> tuple[Any, ...]:
        """The row that a statement answers; it is committed when this returns.

        JSON comes as bytes. Raises `Problem`; nothing was stored then, except that `unavailable`
        and `too_slow` leave it open.
        """
        try:
            row = await self._call(statement, arguments, read_only=False)
        except Problem as problem:
            if problem.slug == "unavailable":
                self._lost_write_at = time.monotonic()
            raise
        self._lost_write_at = None
        return row

    def lost_a_write(self, *, within_seconds: float) -> bool:
        """Whether the last write failed because the server or its resources are unavailable.

        A failure longer ago than `within_seconds` counts no more: nothing was written since.
        """
        lost_at = self._lost_write_at
        return lost_at is not None and time.monotonic() - lost_at < within_seconds

    async def probe(self) -> bool:
        """Ask the server whether it has the schema and takes writes, on a connection of its own.

        Raises `Problem` when it does not answer in time. One probe at a time serves all callers.
        """
        await self._probe.ask()
        return self._probe.takes_writes

    async def read_json(self, function: str, arguments: Mapping[str, object]) -> bytes:
        """The JSON that a function of `api` returns, in a READ ONLY transaction.

        `arguments` are by their names without p_. Raises `Problem`.
        """
        (answer,) = await self.read(call_of(function, tuple(arguments)), arguments)
        return bytes(answer)

    async def read_visible_json(
        self, function: str, arguments: Mapping[str, object]
    ) -> tuple[bytes, str]:
        """What `read_json` returns, and the transactions that it has seen. Raises `Problem`."""
        statement = call_of(function, tuple(arguments), more=VISIBLE)
        answer, visibility = await self.read(statement, arguments)
        return bytes(answer), visibility

    async def query(self, sql: str, limit: int | None) -> bytes:
        """What `api.query_sql` returns of a statement of a client; all of it is rolled back.

        Raises `Problem`, also for what is wrong with the statement.
        """
        seconds = self._query_timeout
        settings = settings_for(seconds, read_only=False)
        try:
            async with (
                asyncio.timeout(seconds + GRACE_SECONDS),
                self._pool.connection() as connection,
            ):
                return await query(connection, settings, sql, limit)
        except TimeoutError:
            raise self._blocking.explain(statement_too_slow()) from None
        except psycopg.Error as error:
            raise self._problem_of_statement(error, sql) from as_cause(error)

    async def read_aside(self, function: str, arguments: Mapping[str, object]) -> tuple[Any, ...]:
        """The out arguments of a function of `api`, within seconds or not at all.

        One call of a function at a time, in a READ ONLY transaction on a connection of its own, so
        that it does not wait for the pool. Raises `Problem`.
        """
        settings = settings_for(ASIDE_SECONDS, read_only=True)
        statement = call_of(function, tuple(arguments))
        return await self._asides[function].run(
            lambda connection: transact(connection, settings, statement, arguments),
            seconds=ASIDE_SECONDS + GRACE_SECONDS,
        )

    async def write_json(self, function: str, arguments: Mapping[str, object]) -> bytes:
        """The JSON that a function of `api` returns; what it wrote is committed.

        Raises `Problem`, as `write` does.
        """
        (answer,) = await self.write(call_of(function, tuple(arguments)), arguments)
        return bytes(answer)

    async def write_row(self, function: str, arguments: Mapping[str, object]) -> tuple[Any, ...]:
        """The out arguments that a function of `api` returns; what it wrote is committed.

        Raises `Problem`, as `write` does.
        """
        return await self.write(call_of(function, tuple(arguments)), arguments)

    async def record(self, function: str, arguments: Mapping[str, object]) -> None:
        """Call a function of `api` that writes what nobody waits for.

        Its commit waits for no standby. Raises `Problem`.
        """
        statement = call_of(function, tuple(arguments))
        await self._call(statement, arguments, read_only=False, local=True)

    async def call_in_background(
        self, function: str, arguments: Mapping[str, object], *, read_only: bool
    ) -> tuple[Any, ...]:
        """The out arguments of a function of `api`, for a loop that logs itself when it fails.

        Raises `Problem`, as `read` and `write` do, whose cause is the error of the database.
        """
        statement = call_of(function, tuple(arguments))
        return await self._call(statement, arguments, read_only=read_only, logged=False)

    async def _call(
        self,
        statement: Statement,
        arguments: Mapping[str, object],
        *,
        read_only: bool,
        local: bool = False,
        logged: bool = True,
    ) -> tuple[Any, ...]:
        settings = settings_for(self._timeout, read_only=read_only, local=local)
        try:
            async with (
                asyncio.timeout(self._timeout + GRACE_SECONDS),
                nullcontext() if read_only else self._turn_to_write(),
            ):
                try:
                    return await self._run(settings, statement, arguments)
                except psycopg.Error as error:
                    lost = is_outage(error) and not isinstance(error, PoolTimeout)
                    if lost:
                        # Where one connection died, the others mostly did too.
                        await self._pool.check()
                    if error.sqlstate not in RETRIED and not (lost and read_only):
                        raise
                    return await self._run(settings, statement, arguments)
        except TimeoutError:
            raise self._blocking.explain(too_slow()) from None
        except psycopg.errors.ReadOnlySqlTransaction as error:
            raise (
                self._problem(error, logged=logged) if read_only else takes_no_writes()
            ) from as_cause(error)
        except psycopg.Error as error:
            raise self._problem(error, logged=logged) from as_cause(error)

    @asynccontextmanager
    async def _turn_to_write(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(POOL_SECONDS):
                await self._writing.acquire()
        except TimeoutError:
            raise PoolTimeout(f"no turn to write within {POOL_SECONDS:.0f} s") from None
        try:
            yield
        finally:
            self._writing.release()

    async def _run(
        self,
        settings: Mapping[str, object],
        statement: Statement,
        arguments: Mapping[str, object],
    ) -> tuple[Any, ...]:
        async with self._pool.connection() as connection:
            if not _was_ended(connection):
                return await transact(connection, settings, statement, arguments)
        # Where the server ended one idle connection, as a restart does, it ended the others too.
        await self._pool.check()
        async with self._pool.connection() as connection:
            return await transact(connection, settings, statement, arguments)

    async def _listen(self, connection: AsyncConnection[Any]) -> None:
        connection.add_notice_handler(self._blocking.hear)

    def _problem_of_statement(self, error: psycopg.Error, sql: str) -> Exception:
        problem = from_statement(error, sql)
        if problem is None and isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
            return takes_no_writes()
        return problem or self._problem(error, logged=True)

    def _problem(self, error: psycopg.Error, *, logged: bool) -> Exception:
        problem = self._blocking.explain(from_database(error))
        if not logged:
            return problem
        if problem.slug == "internal":
            logger.error("database error %s: %s", error.sqlstate, error, exc_info=error)
        elif is_outage(error):
            logger.warning("database unavailable: %s", error)
        return problem


def _was_ended(connection: AsyncConnection[Any]) -> bool:
    """Whether the server has ended an idle connection: there is an end of file to read."""
    arrived = select.poll()
    arrived.register(connection.fileno(), select.POLLIN)
    return bool(arrived.poll(0))
