"""The ranges of each status, of all signals of a server together."""

from __future__ import annotations

from datetime import timedelta

import pytest
from psycopg import Connection

from tests.sql.histories import add_past, add_present, add_server, add_uptime, at

Hours = list[tuple[float, float]]


def ranges(
    db: Connection, server: int, begin: float = 0, end: float = 24, now: float = 48
) -> dict[str, Hours]:
    """In hours after START, by status."""
    row = db.execute(
        "select up, degraded, down from internal.health_ranges(%s, %s, %s, %s)",
        [[server], at(begin), at(end), at(now)],
    ).fetchone()
    assert row is not None
    found: dict[str, Hours] = {}
    for status, multirange in zip(("up", "degraded", "down"), row, strict=True):
        found[status] = [
            ((part.lower - at(0)) / timedelta(hours=1), (part.upper - at(0)) / timedelta(hours=1))
            for part in multirange
        ]
    return found


@pytest.fixture
def server(db: Connection) -> int:
    add_uptime(db, (-100, 100))
    return add_server(db)


def test_of_signals_that_differ_the_worst_counts(db: Connection, server: int) -> None:
    add_past(db, server, "probe", [("up", 0, 10), ("down", 10, 12), ("up", 12, 20)])
    add_past(db, server, "traffic", [("degraded", 5, 11)])

    assert ranges(db, server) == {
        "up": [(0, 5), (12, 20)],
        "degraded": [(5, 10)],
        "down": [(10, 12)],
    }


@pytest.mark.parametrize("status", ["up", "degraded", "down"])
def test_a_status_needs_no_other_one(db: Connection, server: int, status: str) -> None:
    add_past(db, server, "probe", [(status, 1, 2)])

    assert ranges(db, server) == {"up": [], "degraded": [], "down": [], status: [(1, 2)]}


def test_the_present_state_reaches_to_now_unless_it_expired(db: Connection, server: int) -> None:
    add_present(db, server, "probe", "down", 1, 30)
    add_present(db, server, "keepalive", "up", 0, 2)

    assert ranges(db, server, now=20) == {"up": [(0, 1)], "degraded": [], "down": [(1, 20)]}
    assert ranges(db, server, now=48, end=40)["down"] == [(1, 30)]
    assert ranges(db, server, now=0.5) == {"up": [(0, 0.5)], "degraded": [], "down": []}


def test_an_unknown_state_adds_nothing(db: Connection, server: int) -> None:
    add_present(db, server, "probe", "unknown", 1, 30)

    assert ranges(db, server) == {"up": [], "degraded": [], "down": []}


def test_time_in_which_the_service_did_not_run_is_unknown(db: Connection) -> None:
    add_uptime(db, (0, 5), (7, 24))
    server = add_server(db)
    add_past(db, server, "probe", [("up", 0, 24)])

    assert ranges(db, server)["up"] == [(0, 5), (7, 24)]


@pytest.mark.parametrize(("seconds", "reaches"), [(29, True), (30, False)])
def test_a_service_that_said_so_just_now_is_running(
    db: Connection, seconds: int, reaches: bool
) -> None:
    end = 10 - seconds / 3600
    add_uptime(db, (0, end))
    server = add_server(db)
    add_present(db, server, "probe", "up", 0, 24)

    assert ranges(db, server, now=10)["up"] == [(0, 10 if reaches else pytest.approx(end))]


@pytest.mark.parametrize(
    ("seconds", "again", "reaches"),
    [(4.9, 12, True), (5, 12, False), (29, 12, False), (4.9, 10, False)],
)
def test_a_service_that_has_started_again_was_running_for_seconds_only(
    db: Connection, seconds: float, again: float, reaches: bool
) -> None:
    end = 10 - seconds / 3600
    add_uptime(db, (0, 5), (6, end), (again, 20))
    server = add_server(db)
    add_present(db, server, "probe", "up", 0, 24)

    last = 10 if reaches else pytest.approx(end)
    assert ranges(db, server, now=10)["up"] == [(0, 5), (6, last)]


def test_time_outside_of_the_registration_is_unknown(db: Connection) -> None:
    add_uptime(db, (0, 24))
    server = add_server(db, registered=at(3), deregistered=at(9))
    add_past(db, server, "probe", [("up", 0, 24)])

    assert ranges(db, server)["up"] == [(3, 9)]


def test_a_server_without_a_history_has_no_ranges(db: Connection) -> None:
    server = add_server(db, registered=at(30))

    assert ranges(db, server) == {"up": [], "degraded": [], "down": []}


def test_servers_are_kept_apart(db: Connection, server: int) -> None:
    other = add_server(db, "acme/other")
    add_past(db, server, "probe", [("up", 0, 1)])
    add_past(db, other, "probe", [("down", 0, 1)])

    rows = db.execute(
        "select server_id, isempty(up), isempty(down)"
        " from internal.health_ranges(%s, %s, %s, %s) order by server_id",
        [[server, other], at(0), at(24), at(24)],
    ).fetchall()
    assert rows == [(server, False, True), (other, True, False)]
