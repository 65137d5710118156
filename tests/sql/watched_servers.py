"""Servers of a service that has been running, and the statuses that they have had."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from tests.sql.calls import NOW, ask


def run_service(conn: Connection) -> None:
    """The service has been running for ten days, and runs."""
    conn.execute(
        "insert into data.service_uptime (during) values (tstzrange(%s, %s))",
        (NOW - timedelta(days=10), NOW + timedelta(hours=1)),
    )


def server(conn: Connection, name: str = "acme/search", *, since: datetime, **columns: Any) -> int:
    """A registered server, watched by a service that has been running for as long."""
    number: int = ask(
        conn,
        """
        insert into data.server (
            name, status, tags, keepalive_seconds, failures_to_down, successes_to_recover,
            sla_target, probe, registered_at, updated_at
        )
        values (%s, 'active', %s, 60, 1, 1, 99.9, false, %s, %s) returning server_id
        """,
        name,
        columns.get("tags", []),
        since,
        since,
    )
    return number


def lasted(
    conn: Connection,
    number: int,
    status: str,
    since: datetime,
    until: datetime,
    signal: str = "report",
) -> None:
    """A status that a signal of a server has had."""
    conn.execute(
        """
        insert into data.health_interval (server_id, signal, status, during)
        values (%s, %s, %s, tstzrange(%s, %s))
        """,
        (number, signal, status, since, until),
    )
