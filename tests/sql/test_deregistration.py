"""What ends with the registration of a server, and what begins with the next one."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import Connection

from tests.sql.calls import Json, ask
from tests.sql.registry import NAME, deregister, register, server_json
from tests.sql.reports import at, record
from tests.sql.test_concurrency import at_once
from tests.sql.test_current_health import run
from tests.sql.test_get_health import get_health
from tests.sql.test_heartbeat import heartbeat


@pytest.fixture(autouse=True)
def running(db: Connection) -> None:
    run(db, -3600, 7200)


def seconds_up(conn: Connection, begin: float, end: float) -> float:
    """Seconds that the only server was up in, by the SLA."""
    answer = ask(
        conn,
        "select api.query_sla(p_window => null, p_from => %s, p_to => %s, p_name => null,"
        " p_timezone => null, p_as_of => null, p_limit => null, p_cursor => null, p_now => %s)",
        at(begin),
        at(end),
        at(end),
    )
    up: float = answer["items"][0]["seconds"]["up"]
    return up


def server_number(conn: Connection) -> int:
    number: int = ask(conn, "select server_id from data.server where name = %s", NAME)
    return number


def test_the_time_between_two_registrations_is_unknown(db: Connection) -> None:
    register(db, server_json(keepalive_seconds=3600), now=at(0))
    heartbeat(db, [NAME], at(10))
    deregister(db, now=at(20))
    register(db, server_json(), now=at(50))

    assert seconds_up(db, 0, 100) == 10
    heartbeat(db, [NAME], at(70))
    assert seconds_up(db, 0, 100) == 40


def test_health_begins_again_with_a_new_registration(db: Connection) -> None:
    register(db, server_json(failures_to_down=2, probe=False), now=at(0))
    record(db, server_number(db), [(1, "up"), (10, "down")])
    deregister(db, now=at(20))
    register(db, server_json(), now=at(50))

    assert get_health(db, at(51), NAME)["status"] == "unknown"
    record(db, server_number(db), [(60, "down")])
    assert get_health(db, at(61), NAME)["status"] == "unknown"


def test_a_server_that_was_deregistered_is_restored(db: Connection) -> None:
    assert register(db, server_json())["outcome"] == "created"
    deregister(db)

    assert register(db, server_json())["outcome"] == "restored"
    assert register(db, server_json())["outcome"] == "unchanged"


def test_a_report_about_an_earlier_registration_moves_nothing(db: Connection) -> None:
    register(db, server_json(), now=at(0))
    record(db, server_number(db), [(5, "up")])
    deregister(db, now=at(20))
    register(db, server_json(), now=at(50))

    assert record(db, server_number(db), [(10, "down"), (30, "up")]) == (2, 0, 2)
    assert seconds_up(db, 0, 100) == 15


def test_a_keep_alive_by_a_clock_that_is_behind_counts_from_the_registration(
    db: Connection,
) -> None:
    register(db, server_json(), now=at(0))
    heartbeat(db, [NAME], at(5))
    deregister(db, now=at(20))
    register(db, server_json(), now=at(20))
    heartbeat(db, [NAME], at(19))
    heartbeat(db, [NAME], at(500))

    assert seconds_up(db, 0, 500) == pytest.approx(15 + 180, abs=0.001)


@pytest.mark.native_only("many sessions at once")
def test_keep_alives_and_deregistrations_do_not_deadlock(fresh_database: str) -> None:
    with psycopg.connect(fresh_database, autocommit=True) as conn:
        register(conn, server_json(keepalive_seconds=1), now=datetime.now(UTC))

    def send(conn: Connection, number: int) -> Json:
        for n in range(20):
            now = datetime.now(UTC)
            if number % 2:
                ask(conn, "select api.heartbeat(array[%s, 'other'], %s)", NAME, now)
            elif n % 2:
                deregister(conn, now=now)
            else:
                register(conn, server_json(), now=now)
        return {}

    assert at_once(fresh_database, send)
