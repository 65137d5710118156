"""When the service was running."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from tests.sql.calls import NOW
from tests.sql.test_concurrency import at_once


def record(conn: Connection, seconds: Sequence[float]) -> None:
    for each in seconds:
        conn.execute("select api.record_uptime(%s)", [NOW + timedelta(seconds=each)])


def uptime(conn: Connection) -> list[tuple[float, float]]:
    """Beginnings and ends in seconds after NOW."""
    rows = conn.execute("select lower(during), upper(during) from data.service_uptime order by 1")
    return [(seconds(begin), seconds(end)) for begin, end in rows]


def seconds(instant: datetime) -> float:
    return (instant - NOW).total_seconds()


def test_a_service_that_says_so_again_and_again_was_running_all_the_time(db: Connection) -> None:
    record(db, [0, 5, 10, 40])

    assert uptime(db) == [(0, 40)]


def test_a_gap_of_more_than_thirty_seconds_was_a_stop(db: Connection) -> None:
    record(db, [0, 5, 35.1, 40])

    assert uptime(db) == [(0, 5), (35.1, 40)]


def test_a_start_is_kept_at_once(db: Connection) -> None:
    record(db, [0])

    assert uptime(db) == [(0, 0.000001)]


def test_a_clock_that_is_behind_takes_nothing_back(db: Connection) -> None:
    record(db, [0, 20, 18])

    assert uptime(db) == [(0, 20)]


@pytest.mark.native_only("many sessions at once")
def test_processes_that_start_together_begin_one_range(fresh_database: str) -> None:
    def start(conn: Connection, number: int) -> dict[str, Any]:
        record(conn, [number / 10])
        return {}

    at_once(fresh_database, start)

    with psycopg.connect(fresh_database) as conn:
        assert len(uptime(conn)) == 1
