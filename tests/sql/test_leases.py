"""Leases: at no time have two holders one lease."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import NOW, ask

SESSIONS = 8


def take(db: Connection, holder: str, now: datetime = NOW, *, seconds: float = 15) -> bool:
    held: bool = ask(
        db, "select internal.take_lease('work', %s, %s, %s)", holder, float(seconds), now
    )
    return held


def renew(db: Connection, holder: str, seconds: float = 15) -> bool:
    held: bool = ask(db, "select api.renew_lease('work', %s, %s)", holder, float(seconds))
    return held


def test_a_free_lease_is_taken_and_renewed(db: Connection) -> None:
    assert renew(db, "one")
    assert renew(db, "one")


def test_a_lease_of_another_holder_is_refused_until_it_expires(db: Connection) -> None:
    assert take(db, "one")
    assert not take(db, "two", NOW + timedelta(seconds=14.999))
    assert take(db, "two", NOW + timedelta(seconds=15))
    assert not take(db, "one", NOW + timedelta(seconds=16))


def test_a_released_lease_is_free_at_once(db: Connection) -> None:
    assert renew(db, "one")
    assert not renew(db, "two")
    assert not renew(db, "one", 0)
    assert renew(db, "two")


def test_another_holder_releases_nothing(db: Connection) -> None:
    assert renew(db, "one")
    assert not renew(db, "two", 0)
    assert not renew(db, "two")


def test_leases_of_two_names_are_independent(db: Connection) -> None:
    assert renew(db, "one")
    assert ask(db, "select api.renew_lease('other', 'two', 15)")


@given(
    calls=st.lists(
        st.tuples(
            st.sampled_from(["one", "two", "three"]),
            st.floats(0, 20),
            st.sampled_from([0, 5, 15]),
        ),
        max_size=20,
    )
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_two_holders_never_have_it_at_one_time(
    db: Connection, calls: list[tuple[str, float, int]]
) -> None:
    db.execute("delete from data.lease")
    now = NOW
    # Until when each holder may believe that it has the lease.
    believed: dict[str, datetime] = {}
    for holder, pause, seconds in calls:
        now += timedelta(seconds=pause)
        others = [until for other, until in believed.items() if other != holder]
        held = take(db, holder, now, seconds=seconds)
        assert held == (seconds > 0 and all(until <= now for until in others))
        if held or holder in believed:
            believed[holder] = now + timedelta(seconds=seconds if held else 0)


@pytest.mark.native_only("many sessions at once")
def test_of_many_sessions_that_ask_at_once_one_gets_an_expired_lease(fresh_database: str) -> None:
    start = Barrier(SESSIONS)

    def compete(number: int) -> list[bool]:
        with psycopg.connect(fresh_database, autocommit=True, prepare_threshold=None) as conn:
            held = []
            for _ in range(20):
                if start.wait() == 0:
                    conn.execute("update data.lease set expires_at = '-infinity'")
                start.wait()
                held.append(renew(conn, f"holder {number}"))
            return held

    with ThreadPoolExecutor(SESSIONS) as pool:
        answers = list(pool.map(compete, range(SESSIONS)))

    assert [sum(held) for held in zip(*answers, strict=True)] == [1] * 20
