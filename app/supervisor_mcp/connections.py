"""Connections to the database: the pool, and beside it one that probes and one that is kept."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from supervisor_mcp.blocking import Blocking
from supervisor_mcp.errors import as_cause, from_database, too_slow, unavailable

logger = logging.getLogger(__name__)

T = TypeVar("T")

# How long a probe waits for an answer, however long other statements take.
PROBE_SECONDS = 2.0
# Whether there is the schema, whether the login may do what every call does first, and whether the
# server takes writes.
READY = """
select
    'api'::regnamespace,
    set_config('role', 'supervisor_app', true),
    not (pg_is_in_recovery() or current_setting('transaction_read_only')::boolean)
"""
NO_ANSWER = f"no answer within {PROBE_SECONDS:.0f} s"


class Pool(AsyncConnectionPool[AsyncConnection[Any]]):
    """Hands out the connection that came back last, psycopg's the one that came back first.

    What its server process needs is still in the caches of the processor (bench/RESULTS.md).
    """

    async def _get_ready_connection(
        self,
        timeout: float | None,  # noqa: ASYNC109  psycopg's
    ) -> AsyncConnection[Any] | None:
        self._pool.rotate()
        return await super()._get_ready_connection(timeout)


class Probe:
    """Whether the database answers, asked on a connection that is opened for it.

    `takes_writes` is what the server said of itself last.
    """

    def __init__(self, url: str, blocking: Blocking) -> None:
        self._url = url
        self._blocking = blocking
        self._probing: asyncio.Task[str | None] | None = None
        self.takes_writes = True

    async def ask(self) -> None:
        """Ask the server whether it has the schema, and the login the role of the service.

        Raises `Problem` when it does not answer in time. One probe at a time serves all callers.
        """
        if self._probing is None or self._probing.done():
            self._probing = asyncio.create_task(self._probe())
        # While this caller waits, another one may begin the next probe.
        probing = self._probing
        # A statement that cannot be cancelled must not hold the caller.
        done, _ = await asyncio.wait({probing}, timeout=PROBE_SECONDS)
        reason = probing.result() if done else NO_ANSWER
        if reason is not None:
            logger.warning("database unavailable: %s", reason)
            raise self._blocking.explain(unavailable())

    async def _probe(self) -> str | None:
        """What is wrong with the server; None when it answers.

        A text, because an error would keep its connection open for as long as it is kept.
        """
        try:
            async with (
                asyncio.timeout(PROBE_SECONDS),
                await AsyncConnection.connect(
                    self._url, autocommit=True, prepare_threshold=None, connect_timeout=2
                ) as connection,
            ):
                connection.add_notice_handler(self._blocking.hear)
                cursor = await connection.execute(READY)
                *_, self.takes_writes = await cursor.fetchone() or (True,)
        except TimeoutError:
            return NO_ANSWER
        except (psycopg.Error, OSError) as error:
            return str(error)
        return None


class Aside:
    """A connection for one call at a time, opened by the first one and after a failure."""

    def __init__(self, url: str, options: dict[str, Any]) -> None:
        self._url = url
        self._options = options
        self._connection: AsyncConnection[Any] | None = None
        self._turn = asyncio.Lock()

    async def run(
        self, call: Callable[[AsyncConnection[Any]], Awaitable[T]], *, seconds: float
    ) -> T:
        """What `call` answers within `seconds`. Raises `Problem`."""
        async with self._turn:
            try:
                async with asyncio.timeout(seconds):
                    if self._connection is None:
                        self._connection = await AsyncConnection.connect(self._url, **self._options)
                    return await call(self._connection)
            except TimeoutError:
                await self.close()
                raise too_slow() from None
            except psycopg.Error as error:
                await self.close()
                raise from_database(error) from as_cause(error)

    async def close(self) -> None:
        """Close the connection; a call under way is ended."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None
