"""Reports of health, and what became of the signals of a server."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from psycopg import Connection
from psycopg.types.range import TimestamptzRange

from tests.sql.calls import NOW, ask

# Seconds from START, and a status.
Report = tuple[float, str]

START = NOW - timedelta(hours=1)
KEEPALIVE_SECONDS = 60


def at(seconds: float) -> datetime:
    """That many seconds after START."""
    return START + timedelta(seconds=seconds)


def add_server(
    conn: Connection,
    name: str = "acme/search",
    *,
    failures: int = 3,
    successes: int = 2,
    keepalive: int = KEEPALIVE_SECONDS,
    source: str | None = None,
    tags: Sequence[str] = (),
    registered: datetime = START - timedelta(days=1),
    deregistered: datetime | None = None,
) -> int:
    """A registered server; its number."""
    server: int = ask(
        conn,
        "insert into data.server (name, status, source, tags, keepalive_seconds, failures_to_down,"
        " successes_to_recover, sla_target, probe, registered_at, updated_at, deregistered_at)"
        " values (%s, 'active', %s, %s, %s, %s, %s, 99, false, %s, %s, %s) returning server_id",
        name,
        source,
        list(tags),
        keepalive,
        failures,
        successes,
        registered,
        registered,
        deregistered,
    )
    return server


def record(
    conn: Connection,
    server: int,
    reports: Sequence[Report],
    *,
    signal: str = "report",
    now: datetime = NOW,
) -> tuple[int, int, int]:
    """Record reports about a server in one batch: accepted, duplicate and late."""
    row = conn.execute(
        "select * from internal.record_health(array("
        " select row(%s, %s, ts, status, null, null, status || ' at ' || n, %s)::data.health_report"
        " from unnest(%s::timestamptz[], %s::text[]) with ordinality as sent (ts, status, n)"
        "), %s)",
        [
            server,
            signal,
            now,
            [at(seconds) for seconds, _ in reports],
            [status for _, status in reports],
            now,
        ],
    ).fetchone()
    assert row is not None
    return row


def state(conn: Connection, server: int, signal: str = "report") -> tuple[str, float]:
    """The status of a signal, and since how many seconds after START."""
    row = conn.execute(
        "select status, since from data.health_state where server_id = %s and signal = %s",
        [server, signal],
    ).fetchone()
    assert row is not None
    return row[0], (row[1] - START).total_seconds()


def history(
    conn: Connection, server: int, signal: str = "report", *, now: datetime = NOW
) -> list[tuple[str, float, float]]:
    """Statuses of a signal with their beginnings and ends, the present one included."""
    rows: list[tuple[str, TimestamptzRange]] = conn.execute(
        "select status, during from data.health_interval where server_id = %(server)s"
        " and signal = %(signal)s"
        " union all"
        " select status, tstzrange(since, least(expires_at, %(now)s)) from data.health_state"
        " where server_id = %(server)s and signal = %(signal)s and status <> 'unknown'"
        " and since < %(now)s"
        " order by 2",
        {"server": server, "signal": signal, "now": now},
    ).fetchall()
    return [
        (
            status,
            (during.lower - START).total_seconds(),  # type: ignore[operator]
            (during.upper - START).total_seconds(),  # type: ignore[operator]
        )
        for status, during in rows
    ]
