"""What a rule about the health of servers sees."""

from __future__ import annotations

from datetime import timedelta

import pytest
from psycopg import Connection

from tests.sql.alerts import alerts, define, evaluate, newest, readings
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


def test_a_server_that_is_down_fires(watched: Connection) -> None:
    for name, status in (("a", "down"), ("b", "up")):
        lasted(watched, server(watched, name, since=NOW - DAY), status, NOW - HOUR, NOW + HOUR)
    define(watched, {"type": "health", "statuses": ["down", "degraded"]})

    evaluate(watched)

    assert alerts(watched) == {"a": "firing"}
    assert newest(watched)["evidence"]["status"] == "down"


@pytest.mark.parametrize(
    ("at", "status"),
    [
        (-HOUR, None),
        (-HOUR + MICROSECOND, 0),
        (-30 * MINUTE, 0),
        (-30 * MINUTE + MICROSECOND, 3),
        (-20 * MINUTE, 3),
        (-20 * MINUTE + MICROSECOND, 2),
        (-10 * MINUTE, 2),
        (-10 * MINUTE + MICROSECOND, 1),
        (-MINUTE, 1),
        (-MINUTE + MICROSECOND, None),
    ],
)
def test_a_rule_of_health_sees_what_was_known_just_before_an_instant(
    watched: Connection, at: timedelta, status: int | None
) -> None:
    number = server(watched, since=NOW - HOUR)
    watched.execute(
        "update data.server set deregistered_at = %s where server_id = %s", (NOW - MINUTE, number)
    )
    for minutes, said in ((30, "down"), (20, "degraded"), (10, "up")):
        begin = NOW - minutes * MINUTE
        lasted(watched, number, said, begin, begin + 10 * MINUTE)
    define(watched, {"type": "health", "statuses": ["down", "degraded"]})

    found = watched.execute(
        """
        select label, active, observations, parts from internal.measure_health(
            array(select stated from data.alert_rule_version as stated), %s, %s, '1 s'
        )
        """,
        (NOW + at, NOW + at),
    ).fetchall()
    expected = [] if status is None else [("acme/search", status >= 2, 1, [status])]
    assert found == expected


def test_a_rule_of_health_can_be_about_tags(watched: Connection) -> None:
    for name, tag in (("a", "prod"), ("b", "test")):
        number = server(watched, name, since=NOW - DAY, tags=[tag])
        lasted(watched, number, "down", NOW - HOUR, NOW + HOUR)
    define(watched, {"type": "health", "statuses": ["down"], "tags": ["prod"]})

    evaluate(watched)

    assert alerts(watched) == {"a": "firing"}


@pytest.mark.parametrize("status", ["up", "degraded", "down"])
def test_the_status_of_an_instant_is_that_of_just_before_it(
    watched: Connection, status: str
) -> None:
    number = server(watched, since=NOW - DAY)
    lasted(watched, number, status, NOW - timedelta(microseconds=1), NOW)

    define(watched, {"type": "health", "statuses": [status]})
    evaluate(watched)

    assert alerts(watched) == {"acme/search": "firing"}
    assert newest(watched)["evidence"]["observations"] == 1


def test_a_server_has_a_status_from_after_its_registration_to_its_end(watched: Connection) -> None:
    condition = {"type": "health", "statuses": ["unknown"]}
    ended = "update data.server set deregistered_at = %s where server_id = %s"
    for name, since, end in (
        ("new", NOW, None),
        ("there", NOW - SECOND, None),
        ("ending", NOW - DAY, NOW),
        ("gone", NOW - DAY, NOW - SECOND),
    ):
        watched.execute(ended, [end, server(watched, name, since=since)])

    assert set(readings(watched, condition)) == {"there", "ending"}
