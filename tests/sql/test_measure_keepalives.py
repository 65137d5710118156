"""When a rule about keep-alives sees one lost."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from psycopg import Connection

from tests.sql.alerts import alerts, define, evaluate, newest
from tests.sql.calls import NOW
from tests.sql.watched_servers import lasted, run_service, server

MICROSECOND = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def watched(db: Connection) -> Connection:
    """The service has been running for ten days, and runs."""
    run_service(db)
    return db


def test_a_lost_keepalive_fires(watched: Connection) -> None:
    for name, end in (("lost", NOW - 10 * MINUTE), ("kept", NOW + MINUTE)):
        number = server(watched, name, since=NOW - DAY)
        lasted(watched, number, "up", NOW - HOUR, end, "keepalive")
    server(watched, "never", since=NOW - DAY)
    define(watched, {"type": "keepalive"})

    evaluate(watched)

    assert alerts(watched) == {"lost": "firing"}
    assert newest(watched)["value"] == 600


def test_no_keepalive_is_lost_while_the_service_was_stopped(db: Connection) -> None:
    db.execute(
        "insert into data.service_uptime (during) values (tstzrange(%s, %s)), (tstzrange(%s, %s))",
        (NOW - DAY, NOW - HOUR, NOW - MINUTE, NOW),
    )
    lasted(db, server(db, since=NOW - DAY), "up", NOW - DAY, NOW - HOUR, "keepalive")
    define(db, {"type": "keepalive"})

    evaluate(db)

    assert alerts(db) == {}


def keepalives(conn: Connection, now: datetime) -> list[tuple[str, float | None, bool | None]]:
    """What a rule about keep-alives sees: server, seconds without one, whether it is active."""
    rows = conn.execute(
        """
        select label, value, active, observations
        from internal.measure_keepalives(
            array(select stated from data.alert_rule_version as stated), %s, %s, '1 s'
        )
        order by label
        """,
        (now, now),
    ).fetchall()
    assert {observations for *_, observations in rows} <= {1}
    return [(label, value, active) for label, value, active, _ in rows]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (-3 * HOUR, []),
        (-3 * HOUR + MICROSECOND, [("acme/search", None, False)]),
        (-2 * HOUR, [("acme/search", 0, False)]),
        (-2 * HOUR + MICROSECOND, [("acme/search", 1e-6, True)]),
        (-HOUR, [("acme/search", 3600, True)]),
        (-HOUR + MICROSECOND, [("acme/search", 3600.000001, False)]),
        (0 * HOUR, [("acme/search", 600, True)]),
    ],
)
def test_a_keepalive_is_lost_until_the_next_one(
    watched: Connection, at: timedelta, expected: list[tuple[str, float | None, bool]]
) -> None:
    number = server(watched, since=NOW - DAY)
    for begin, end in ((-3 * HOUR, -2 * HOUR), (-HOUR, -10 * MINUTE)):
        lasted(watched, number, "up", NOW + begin, NOW + end, "keepalive")
    define(watched, {"type": "keepalive"})

    assert keepalives(watched, NOW + at) == expected


def test_the_present_state_of_keepalives_counts_and_no_other_one(watched: Connection) -> None:
    for name, signal, status, until in (
        ("kept", "keepalive", "up", MINUTE),
        ("lost", "keepalive", "up", -MINUTE),
        ("never", "keepalive", "unknown", -2 * HOUR),
        ("reported", "report", "up", MINUTE),
    ):
        watched.execute(
            "insert into data.health_state"
            " (server_id, signal, status, since, last_at, expires_at, recent)"
            " values (%s, %s, %s, %s, %s, %s, '{}')",
            (
                server(watched, name, since=NOW - DAY),
                signal,
                status,
                NOW - HOUR,
                NOW - HOUR,
                NOW + until,
            ),
        )
    define(watched, {"type": "keepalive"})

    assert keepalives(watched, NOW) == [("kept", None, False), ("lost", 60, True)]


@pytest.mark.parametrize(
    ("at", "seen"),
    [
        (-HOUR, False),
        (-HOUR + MICROSECOND, True),
        (-MINUTE, True),
        (-MINUTE + MICROSECOND, False),
    ],
)
def test_a_keepalive_is_missed_while_a_server_is_registered(
    watched: Connection, at: timedelta, seen: bool
) -> None:
    number = server(watched, since=NOW - HOUR)
    watched.execute(
        "update data.server set deregistered_at = %s where server_id = %s", (NOW - MINUTE, number)
    )
    lasted(watched, number, "up", NOW - 3 * HOUR, NOW - 2 * HOUR, "keepalive")
    define(watched, {"type": "keepalive"})

    assert [label for label, *_ in keepalives(watched, NOW + at)] == ["acme/search"] * seen


@pytest.mark.parametrize(
    ("began", "ended", "active"),
    [(180, 30, True), (179, 30, None), (180, 31, None)],
)
def test_a_keepalive_is_lost_where_the_service_was_running_for_three_of_them(
    db: Connection, began: int, ended: int, active: bool | None
) -> None:
    db.execute(
        "insert into data.service_uptime (during) values (tstzrange(%s, %s))",
        (NOW - began * SECOND, NOW - ended * SECOND),
    )
    lasted(db, server(db, since=NOW - DAY), "up", NOW - DAY, NOW - HOUR, "keepalive")
    define(db, {"type": "keepalive"})

    assert keepalives(db, NOW) == [("acme/search", 3600, active)]
