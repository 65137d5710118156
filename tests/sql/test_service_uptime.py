"""When the service was running."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from psycopg import Connection

from tests.sql.calls import NOW

PROCESS = uuid4()


def record(conn: Connection, seconds: Sequence[float], process: UUID = PROCESS) -> None:
    for each in seconds:
        conn.execute("select api.record_uptime(%s, %s)", [process, NOW + timedelta(seconds=each)])


def uptime(conn: Connection) -> list[tuple[float, float]]:
    """Beginnings and ends in seconds after NOW."""
    # A service that other tests run notes its own uptime in the database that they share.
    rows = conn.execute(
        "select lower(during), upper(during) from data.service_uptime"
        " where upper(during) < %s order by 1",
        [NOW + timedelta(days=1)],
    )
    return [(seconds(begin), seconds(end)) for begin, end in rows]


def seconds(instant: datetime) -> float:
    return (instant - NOW).total_seconds()


def test_a_service_that_says_so_again_and_again_was_running_all_the_time(db: Connection) -> None:
    record(db, [0, 5, 10, 40])

    assert uptime(db) == [(0, 40)]


def test_a_gap_of_thirty_seconds_is_none(db: Connection) -> None:
    record(db, [0])
    record(db, [30.000001])

    assert uptime(db) == [(0, 30.000001)]


def test_a_gap_of_more_than_thirty_seconds_was_a_stop(db: Connection) -> None:
    record(db, [0, 5, 35.1, 40])

    assert uptime(db) == [(0, 5), (35.1, 40)]


def test_a_start_is_kept_at_once(db: Connection) -> None:
    record(db, [0])

    assert uptime(db) == [(0, 0.000001)]


def test_a_clock_that_is_behind_takes_nothing_back(db: Connection) -> None:
    record(db, [0, 20, 18])

    assert uptime(db) == [(0, 20)]


def test_the_time_between_two_processes_was_a_stop_however_short(db: Connection) -> None:
    record(db, [0, 5])
    record(db, [8, 13], process=uuid4())

    assert uptime(db) == [(0, 5), (8, 13)]


def test_processes_that_run_at_the_same_time_have_a_range_each(db: Connection) -> None:
    other = uuid4()
    record(db, [0])
    record(db, [2], process=other)
    record(db, [5])
    record(db, [7], process=other)

    assert uptime(db) == [(0, 5), (2, 7)]
