"""Servers with a history of health, written as the tables hold it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import Connection
from psycopg.types.range import TimestamptzRange

from tests.sql.calls import Json, ask

# The start of a day of its own, so that offsets in hours are easy to read.
START = datetime(2025, 3, 1, tzinfo=UTC)

# (status, first hour, last hour) after START.
Part = tuple[str, float, float]


def at(hours: float) -> datetime:
    """That many hours after START."""
    return START + timedelta(hours=hours)


def hours(begin: float, end: float) -> TimestamptzRange:
    """From one hour after START until another."""
    return TimestamptzRange(at(begin), at(end))


def add_server(
    conn: Connection,
    name: str = "acme/search",
    *,
    registered: datetime = START,
    deregistered: datetime | None = None,
    target: float = 99.0,
) -> int:
    """A registered server; its number."""
    server_id: int = ask(
        conn,
        "insert into data.server (name, status, tags, keepalive_seconds, failures_to_down,"
        " successes_to_recover, sla_target, probe, registered_at, updated_at, deregistered_at)"
        " values (%s, 'active', '{}', 60, 3, 2, %s, false, %s, %s, %s) returning server_id",
        name,
        target,
        registered,
        registered,
        deregistered,
    )
    return server_id


def add_past(conn: Connection, server: int, signal: str, parts: Sequence[Part]) -> None:
    """Closed intervals of a signal."""
    for status, begin, end in parts:
        conn.execute(
            "insert into data.health_interval values (%s, %s, %s, %s)",
            [server, signal, status, hours(begin, end)],
        )


def add_present(
    conn: Connection, server: int, signal: str, status: str, since: float, expires: float
) -> None:
    """The present state of a signal."""
    conn.execute(
        "insert into data.health_state"
        " (server_id, signal, status, since, last_at, expires_at, recent)"
        " values (%s, %s, %s, %s, %s, %s, %s)",
        [server, signal, status, at(since), at(since), at(expires), [status]],
    )


def add_uptime(conn: Connection, *ranges: tuple[float, float]) -> None:
    """Times in which the service was running."""
    for begin, end in ranges:
        conn.execute("insert into data.service_uptime values (%s)", [hours(begin, end)])


def query_sla(
    conn: Connection,
    name: str | None = None,
    *,
    window: str | None = None,
    begin: float | None = None,
    end: float | None = None,
    timezone: str | None = None,
    as_of: float | None = None,
    limit: int | None = None,
    cursor: str | None = None,
    now: float = 24,
) -> Json:
    """The SLA; times are hours after START."""
    answer: Json = ask(
        conn,
        "select api.query_sla(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        window,
        None if begin is None else at(begin),
        None if end is None else at(end),
        name,
        timezone,
        None if as_of is None else at(as_of),
        limit,
        cursor,
        at(now),
    )
    return answer


def sla_of(conn: Connection, name: str = "acme/search", **asked: Any) -> Json:
    """The SLA of one server."""
    (item,) = query_sla(conn, name, **asked)["items"]
    found: Json = item
    return found


def plan(
    conn: Connection,
    begin: float | None = 2,
    end: float | None = 4,
    *,
    now: float = 24,
    id_: str | None = "update-1",
    **more: object,
) -> Json:
    """Plan a maintenance window; times are hours after START."""
    asked: dict[str, object] = {
        "servers": ["acme/search"],
        "author": "ann",
        "reason": "update",
        "cancelled": None,
        **more,
    }
    answer: Json = ask(
        conn,
        "select api.plan_maintenance(%s, %s, %s, %s, %s, %s, %s, %s)",
        id_,
        asked["servers"],
        None if begin is None else at(begin),
        None if end is None else at(end),
        asked["author"],
        asked["reason"],
        asked["cancelled"],
        at(now),
    )
    return answer
