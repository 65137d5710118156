"""The overall status of a server, and since when it has it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from psycopg import Connection
from psycopg.types.range import TimestamptzRange

from tests.sql.reports import START, add_server, at, record


@pytest.fixture(autouse=True)
def running(db: Connection) -> None:
    """The service runs from two days before START until two hours after it."""
    run(db, -2 * 86400, 7200)


def run(db: Connection, begin: float, end: float) -> None:
    db.execute(
        "insert into data.service_uptime values (%s)", [TimestamptzRange(at(begin), at(end))]
    )


def plan(db: Connection, server: int, begin: float, end: float, recorded: float = 0) -> None:
    db.execute(
        "insert into data.maintenance values ('m', %s, %s, 'ops', 'upgrade', %s)",
        [server, TimestamptzRange(at(begin), at(end)), TimestamptzRange(at(recorded), None)],
    )


def current(db: Connection, server: int, now: datetime) -> tuple[str, float]:
    """Overall status, and since how many seconds after START."""
    row = db.execute(
        "select status, since from internal.current_health(%s, %s)", [now, [server]]
    ).fetchone()
    assert row is not None
    return row[0], (row[1] - START).total_seconds()


def test_nothing_is_known_of_a_server_that_nobody_reported_on(db: Connection) -> None:
    server = add_server(db, registered=at(-100))

    assert current(db, server, at(0)) == ("unknown", -100)


def test_the_worst_signal_counts(db: Connection) -> None:
    server = add_server(db)
    record(db, server, [(0, "up")])
    record(db, server, [(10, "degraded")], signal="traffic")
    assert current(db, server, at(20)) == ("degraded", 10)

    record(db, server, [(20, "down"), (30, "down"), (40, "down")], signal="probe")
    assert current(db, server, at(50)) == ("down", 40)


def test_a_status_goes_on_where_one_signal_takes_it_over_from_another(db: Connection) -> None:
    server = add_server(db, failures=1, successes=1)
    record(db, server, [(0, "down"), (60, "up")])
    record(db, server, [(50, "down")], signal="probe")

    assert current(db, server, at(70)) == ("down", 0)


def test_up_begins_where_the_last_signal_recovered(db: Connection) -> None:
    server = add_server(db, failures=1, successes=1)
    record(db, server, [(0, "up"), (100, "up")])
    record(db, server, [(50, "down"), (80, "up")], signal="probe")

    assert current(db, server, at(110)) == ("up", 80)


def test_silence_is_unknown_from_its_first_moment(db: Connection) -> None:
    server = add_server(db)
    record(db, server, [(0, "up")])

    assert current(db, server, at(179.999)) == ("up", 0)
    assert current(db, server, at(180)) == ("unknown", 180)
    assert current(db, server, at(500)) == ("unknown", 180)


def test_traffic_counts_for_three_minutes_however_often_a_server_sends(db: Connection) -> None:
    server = add_server(db, keepalive=10)
    record(db, server, [(0, "up")], signal="traffic")

    assert current(db, server, at(179.999)) == ("up", 0)
    assert current(db, server, at(180)) == ("unknown", 180)


def test_nothing_is_known_while_the_service_does_not_run(db: Connection) -> None:
    server = add_server(db)
    record(db, server, [(7100, "up")], now=at(7100))

    assert current(db, server, at(7229)) == ("up", 7100)
    assert current(db, server, at(7230)) == ("unknown", 7200)


def test_a_status_begins_again_where_the_service_started_again(db: Connection) -> None:
    server = add_server(db, keepalive=86400)
    record(db, server, [(0, "up")])
    run(db, 8000, 8100)

    assert current(db, server, at(7900)) == ("unknown", 7200)
    assert current(db, server, at(8000)) == ("up", 8000)
    assert current(db, server, at(8050)) == ("up", 8000)


def test_maintenance_covers_every_status(db: Connection) -> None:
    server = add_server(db)
    record(db, server, [(0, "up"), (170, "up"), (340, "up")])
    plan(db, server, 100, 200)

    assert current(db, server, at(99)) == ("up", 0)
    assert current(db, server, at(100)) == ("maintenance", 100)
    assert current(db, server, at(199)) == ("maintenance", 100)
    assert current(db, server, at(200)) == ("up", 200)


def test_a_window_that_was_recorded_later_did_not_count_before(db: Connection) -> None:
    server = add_server(db)
    record(db, server, [(0, "up")])
    plan(db, server, 100, 200, recorded=150)

    assert current(db, server, at(120)) == ("up", 0)
    assert current(db, server, at(160)) == ("maintenance", 100)


@pytest.mark.parametrize("days", [0.5, 20, 400])
def test_a_status_that_began_long_ago_is_found(db: Connection, days: float) -> None:
    long_ago = -days * 86400
    server = add_server(db, keepalive=86400, registered=at(long_ago) - timedelta(days=1))
    run(db, long_ago - 2 * 86400, 0)
    record(db, server, [(long_ago + n * 86400, "up") for n in range(int(days) + 1)])

    assert current(db, server, at(60)) == ("up", long_ago)


def test_a_status_that_began_with_the_registration_is_found_from_there_on(db: Connection) -> None:
    server = add_server(db, registered=at(0))

    found = "select since from internal.health_since(%s, '{unknown}', %s, %s)"
    assert db.execute(found, [[server], at(0), at(10)]).fetchall() == [(at(0),)]


def test_a_deregistered_server_is_unknown(db: Connection) -> None:
    server = add_server(db)
    record(db, server, [(0, "up")])
    db.execute("select api.deregister_server('acme/search', null, %s)", [at(50)])

    assert current(db, server, at(60)) == ("unknown", 50)


def test_null_asks_for_all_servers(db: Connection) -> None:
    servers = [add_server(db, name) for name in ("a", "b")]
    record(db, servers[1], [(0, "up")])

    rows = db.execute("select server_id, status from internal.current_health(%s, null)", [at(1)])
    assert dict(rows.fetchall()) == {servers[0]: "unknown", servers[1]: "up"}
