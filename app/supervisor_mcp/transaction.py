"""A call of a function in schema `api`: settings and statement are one transaction.

Both go out together, in one round trip. No session state is used, so that a transaction pooler
works in between.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Mapping
from functools import cache
from typing import Any, LiteralString, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier, Placeholder

from supervisor_mcp import identity

T = TypeVar("T")

ROLE = "supervisor_app"
# What a deploy makes of a statement that runs at its commit: what it has looked up is gone (an
# internal error), or has another signature. Nothing of the statement was stored.
GONE = "XX000"
REPLACED = {GONE, "42883", "42P01", "42703", "42704"}

QUERY: LiteralString = "select api.query_sql(p_sql => %(sql)s, p_limit => %(limit)s)"
# A write leaves the server's setting: a standby refuses the write then, and not the setting.
SETTINGS: LiteralString = """
select
    set_config('role', %(role)s, true),
    set_config('statement_timeout', %(timeout)s, true),
    set_config(
        'transaction_read_only',
        case when %(read_only)s then 'on' else current_setting('transaction_read_only') end,
        true
    ),
    set_config(
        'synchronous_commit',
        case when %(local)s then 'local' else current_setting('synchronous_commit') end,
        true
    ),
    set_config('supervisor.actor', %(actor)s, true),
    set_config('supervisor.namespace', %(namespace)s, true),
    set_config('supervisor.sources', %(sources)s, true)
"""
VISIBLE = ", api.get_visibility()::text"

Statement = LiteralString | bytes


def settings_for(timeout: int, *, read_only: bool, local: bool = False) -> dict[str, object]:
    """The settings of a transaction of the sender; `timeout` in seconds.

    The commit of a `local` one waits for no standby.
    """
    sender = identity.current.get()
    return {
        "role": ROLE,
        "timeout": str(timeout * 1000),
        "read_only": read_only,
        "local": local,
        "actor": sender.name,
        "namespace": sender.namespace,
        # A name contains no line feed.
        "sources": "\n".join(sender.sources or ()),
    }


async def transact(
    connection: AsyncConnection[Any],
    settings: Mapping[str, object],
    statement: Statement,
    arguments: Mapping[str, object],
) -> tuple[Any, ...]:
    """The row that a statement answers. Raises psycopg.Error."""

    async def ask() -> tuple[Any, ...]:
        # Until the pipeline ends the server takes all of it for one transaction.
        async with connection.pipeline():
            await connection.execute(SETTINGS, settings)
            cursor = await connection.execute(statement, arguments)
        row: tuple[Any, ...] | None = await cursor.fetchone()
        if row is None:
            raise LookupError(f"no row from {statement!r}")
        return row

    return await _twice(ask, REPLACED)


async def query(
    connection: AsyncConnection[Any], settings: Mapping[str, object], sql: str, limit: int | None
) -> bytes:
    """What `api.query_sql` answers; all of it is rolled back. Raises psycopg.Error."""

    async def ask() -> bytes:
        async with connection.transaction():
            cursor = await connection.execute(QUERY, {"sql": sql, "limit": limit})
            row: tuple[Any, ...] | None = await cursor.fetchone()
        if row is None:
            raise LookupError("no row from api.query_sql")
        (answer,) = row
        return bytes(answer)

    async with connection.transaction(force_rollback=True):
        await connection.execute(SETTINGS, settings)
        return await _twice(ask, {GONE})


async def _twice(call: Callable[[], Awaitable[T]], states: Container[str | None]) -> T:
    """What a call answers, the second time where the first one raised one of these errors."""
    try:
        return await call()
    except psycopg.Error as error:
        if error.sqlstate not in states:
            raise
    return await call()


@cache
def call_of(function: str, names: tuple[str, ...], more: LiteralString = "") -> bytes:
    """`select *<more> from api.<function>(p_<name> => %(<name>)s, …)`, written once."""
    arguments = SQL(", ").join(
        SQL("{} => {}").format(Identifier(f"p_{name}"), Placeholder(name)) for name in names
    )
    call = SQL("select *{} from {}({})").format(SQL(more), Identifier("api", function), arguments)
    return call.as_bytes()
