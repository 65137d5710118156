"""Metric items of several requests in one statement: each as if it had come alone, or none."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import (
    NOW,
    Item,
    Json,
    ago,
    as_body,
    ask,
    histogram,
    ingest_metrics,
    mark_rolled_up,
    metric,
    query_agg,
    receipt,
)
from tests.sql.test_bound_sources import bound
from tests.sql.together import compare, ingest_together

REGISTERED = [metric(), metric("total", type="counter"), histogram([1, 2], [1, 0, 2], 5)]
LATER = NOW + timedelta(milliseconds=1)


@pytest.fixture
def known(db: Connection) -> Connection:
    """A database with series, whose samples are an hour old."""
    ingest_metrics(db, REGISTERED, now=NOW - timedelta(hours=1))
    return db


def together(
    conn: Connection, *bodies: object, nows: Sequence[datetime] | None = None
) -> list[Json] | None:
    """The receipts of requests; None where nothing was stored."""
    return ingest_together(conn, "ingest_metrics_together", bodies, nows)


def stored(conn: Connection) -> list[tuple[Any, ...]]:
    """What the database has of the requests."""
    return conn.execute(
        "select series_id, ts, seq, value, observations, low, high, sketch from data.sample"
        " order by series_id, ts, seq"
    ).fetchall()


def test_each_request_has_its_own_receipt(known: Connection) -> None:
    answers = together(known, metric(), [metric(ts=ago(minutes=1)), metric("total")])
    assert answers == [receipt(1), receipt(2)]
    assert query_agg(known, source="web")["count"] == 3


def test_a_receipt_is_written_as_that_of_a_request_alone(known: Connection) -> None:
    alone = ask(
        known,
        "select answer::text from api.ingest_metrics(%s::json, false, null, %s)",
        as_body(metric()),
        NOW,
    )
    shared = ask(
        known,
        "select answers[1]::text from api.ingest_metrics_together(%s::json[], array[%s])",
        [as_body(metric("total"))],
        NOW,
    )
    assert shared == alone


def test_an_item_without_a_time_has_that_of_its_request(known: Connection) -> None:
    assert together(known, metric(value=3), metric(value=4), nows=[LATER, NOW]) is not None
    rows = known.execute(
        "select ts, value from data.sample where ts >= %s order by ts", [NOW]
    ).fetchall()
    assert rows == [(NOW, 4), (LATER, 3)]


def test_histograms_are_stored_with_their_observations(known: Connection) -> None:
    assert together(known, metric(), [histogram([1, 2], [1, 0, 2], 5)]) == [receipt(1), receipt(1)]
    assert query_agg(known, "latency")["count"] == 6


def test_the_kinds_of_all_requests_and_the_transaction_are_named(known: Connection) -> None:
    row = known.execute(
        "select kinds, change = pg_current_xact_id()::text::bigint"
        " from api.ingest_metrics_together(%s::json[], array[%s, %s]::timestamptz[])",
        [[as_body(metric("total")), as_body(metric())], NOW, NOW],
    ).fetchone()
    assert row == (["cpu", "total"], True)
    changed = ask(
        known,
        "select array_agg(distinct kind.name order by kind.name) from data.kind_change"
        " inner join data.kind using (kind_id)",
    )
    assert {"cpu", "total"} <= set(changed)


OTHERS: dict[str, object] = {
    "a sample that is stored": metric(ts=ago(hours=1)),
    "a stored sample with another value": metric(value=9, ts=ago(hours=1)),
    "the sample of another request": metric(),
    "a new series": metric(source="new"),
    "a new kind": metric("new"),
    "a value that is no number": metric(value="1"),
    "an unknown field": metric(colour="red"),
    "a time in the future": metric(ts=ago(minutes=-6)),
    "a number": 5,
    "no item": [],
    "an array of arrays": [[metric(ts=ago(minutes=2))]],
    "a key twice": '{"name": "cpu", "source": "web", "value": 1, "value": 1}',
}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("first", [False, True])
def test_nothing_is_stored_where_one_request_has(
    known: Connection, other: str, *, first: bool
) -> None:
    bodies = [OTHERS[other], metric()] if first else [metric(), OTHERS[other]]
    before = stored(known)
    assert together(known, *bodies) is None
    assert stored(known) == before
    assert ask(known, "select count(*) from data.conflict") == 0


def test_nothing_is_stored_where_one_sample_is_late(known: Connection) -> None:
    mark_rolled_up(known, NOW - timedelta(minutes=30))
    before = stored(known)
    assert together(known, metric(), metric(ts=ago(minutes=40))) is None
    assert stored(known) == before
    assert ask(known, "select count(*) from data.late_hour") == 0
    assert together(known, metric(), metric(ts=ago(minutes=20))) == [receipt(1), receipt(1)]


def test_nothing_is_stored_where_a_source_is_of_another_sender(known: Connection) -> None:
    with bound(known, "db"):
        assert together(known, metric()) is None
    with bound(known, "web"):
        assert together(known, metric()) == [receipt(1)]


ITEMS = st.builds(
    metric,
    st.sampled_from(["cpu", "total", "new"]),
    st.sampled_from(["web", "web", "web", "new"]),
    st.sampled_from([1, 2, -0.5, "1"]),
    ts=st.sampled_from([ago(hours=1), *(ago(seconds=n) for n in range(1, 6))]),
) | st.builds(metric, value=st.sampled_from([1, 2]))
BODIES = st.lists(ITEMS, max_size=3) | ITEMS


@given(bodies=st.lists(BODIES, min_size=1, max_size=5))
@example(bodies=[metric(), [metric(ts=ago(seconds=1)), metric("total", ts=ago(seconds=1))]])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_what_is_stored_together_is_what_would_be_stored_alone(
    known: Connection, bodies: list[list[Item] | Item]
) -> None:
    shared, good = compare(known, bodies, together, ingest_metrics, stored)
    new = "new" in str(bodies)
    assert shared == (good and not new)


@pytest.mark.native_only("a transaction that another one waits for")
def test_requests_do_not_wait_for_what_another_transaction_stores(fresh_database: str) -> None:
    with (
        psycopg.connect(fresh_database, prepare_threshold=None) as conn,
        psycopg.connect(fresh_database, prepare_threshold=None) as other,
    ):
        ingest_metrics(conn, REGISTERED, now=NOW - timedelta(hours=1))
        conn.commit()
        ingest_metrics(other, metric())
        started = time.monotonic()
        assert together(conn, metric(), metric(ts=ago(minutes=1))) is None
        assert time.monotonic() - started < 1
        other.rollback()
        assert together(conn, metric(), metric(ts=ago(minutes=1))) == [receipt(1), receipt(1)]
