"""Facts of several requests in one statement: each as if it had come alone, or none."""

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
    fact,
    ingest_facts,
    mark_rolled_up,
    receipt,
)
from tests.sql.deliveries import subscribe
from tests.sql.test_bound_sources import bound
from tests.sql.together import compare, ingest_together

LATER = NOW + timedelta(milliseconds=1)


@pytest.fixture
def known(db: Connection) -> Connection:
    """A database with a series of facts, the last of which is an hour old."""
    ingest_facts(db, fact(fact_id="old"), now=NOW - timedelta(hours=1))
    return db


def together(
    conn: Connection, *bodies: object, nows: Sequence[datetime] | None = None
) -> list[Json] | None:
    """The receipts of requests; None where nothing was stored."""
    return ingest_together(conn, "ingest_facts_together", bodies, nows)


def stored(conn: Connection) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """What the database has of the requests, but for the names that it made up."""
    facts = conn.execute(
        "select case when length(fact_id) < 36 then fact_id end, ts, subject, value, payload,"
        " received_at from data.fact order by seq"
    ).fetchall()
    samples = conn.execute("select ts, value from data.sample order by seq").fetchall()
    return facts, samples


def test_each_request_has_its_own_receipt(known: Connection) -> None:
    answers = together(known, fact(value=1), [fact(value=2), fact(fact_id="a", ts=ago(minutes=1))])
    assert answers == [receipt(1), receipt(2)]
    assert ask(known, "select count(*) from data.fact") == 4


def test_a_fact_was_received_when_its_request_came(known: Connection) -> None:
    sent = together(known, fact(value=1), fact(value=2, ts=ago(minutes=1)), nows=[LATER, NOW])
    assert sent == [receipt(1), receipt(1)]
    rows = known.execute(
        "select value, ts, received_at from data.fact where value is not null order by value"
    ).fetchall()
    assert rows == [(1, LATER, LATER), (2, NOW - timedelta(minutes=1), NOW)]


def test_facts_are_in_the_order_of_their_requests(known: Connection) -> None:
    assert together(known, *([fact(value=n), fact(value=n + 0.5)] for n in range(5))) is not None
    rows = known.execute("select value from data.fact where value is not null order by seq")
    assert [row[0] for row in rows] == [n / 2 for n in range(10)]


def test_a_subscription_gets_each_fact_with_the_time_of_its_request(known: Connection) -> None:
    subscribe(known, facts={})
    assert together(known, fact(value=1), fact(value=2), nows=[NOW, LATER]) is not None
    rows = known.execute(
        "select (item ->> 'value')::int, (item ->> 'received_at')::timestamptz from data.outbox"
        " order by 1"
    ).fetchall()
    assert rows == [(1, NOW), (2, LATER)]


def test_the_kinds_of_all_requests_and_the_transaction_are_named(known: Connection) -> None:
    ingest_facts(known, fact("Fact:Lead"), now=NOW - timedelta(hours=1))
    row = known.execute(
        "select kinds, change = pg_current_xact_id()::text::bigint"
        " from api.ingest_facts_together(%s::json[], array[%s, %s]::timestamptz[])",
        [[as_body(fact("Fact:Lead")), as_body(fact())], NOW, NOW],
    ).fetchone()
    assert row is not None
    assert (sorted(row[0]), row[1]) == (["Fact:Deal", "Fact:Lead"], True)


OTHERS: dict[str, object] = {
    "a fact that is stored": fact(fact_id="old"),
    "a stored fact with another value": fact(fact_id="old", value=9),
    "the fact of another request": fact(fact_id="new"),
    "a new source": fact(source="new"),
    "a new kind": fact("Fact:New"),
    "a value that is no number": fact(value="1"),
    "an unknown field": fact(colour="red"),
    "a time in the future": fact(ts=ago(minutes=-6)),
    "a time before samples are kept": fact(ts=ago(days=200)),
    "a number": 5,
    "no item": [],
}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("first", [False, True])
def test_nothing_is_stored_where_one_request_has(
    known: Connection, other: str, *, first: bool
) -> None:
    good = fact(fact_id="new")
    bodies = [OTHERS[other], good] if first else [good, OTHERS[other]]
    before = stored(known)
    assert together(known, *bodies) is None
    assert stored(known) == before
    assert ask(known, "select count(*) from data.conflict") == 0


def test_nothing_is_stored_where_one_fact_is_late(known: Connection) -> None:
    mark_rolled_up(known, NOW - timedelta(minutes=30))
    before = stored(known)
    assert together(known, fact(), fact(ts=ago(minutes=40))) is None
    assert stored(known) == before
    assert ask(known, "select count(*) from data.late_hour") == 0
    assert together(known, fact(), fact(ts=ago(minutes=20))) == [receipt(1), receipt(1)]


def test_nothing_is_stored_where_a_source_is_of_another_sender(known: Connection) -> None:
    with bound(known, "web"):
        assert together(known, fact()) is None
    with bound(known, "crm"):
        assert together(known, fact()) == [receipt(1)]


ITEMS = st.builds(
    fact,
    st.sampled_from(["Fact:Deal", "Fact:Deal", "Fact:New"]),
    st.sampled_from(["crm", "crm", "crm", "new"]),
    value=st.sampled_from([None, 1, -0.5, "1"]),
    fact_id=st.sampled_from([None, None, "old", "a", "b", "c"]),
    ts=st.sampled_from([None, ago(hours=1), *(ago(seconds=n) for n in range(1, 6))]),
)
BODIES = st.lists(ITEMS, max_size=3) | ITEMS


@given(bodies=st.lists(BODIES, min_size=1, max_size=5))
@example(bodies=[fact(), [fact(value=2), fact(fact_id="a", ts=ago(seconds=1))]])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_what_is_stored_together_is_what_would_be_stored_alone(
    known: Connection, bodies: list[list[Item] | Item]
) -> None:
    shared, good = compare(known, bodies, together, ingest_facts, stored)
    new = "New" in str(bodies) or "'new'" in str(bodies)
    assert shared == (good and not new)


@pytest.mark.native_only("a transaction that another one waits for")
def test_requests_do_not_wait_for_what_another_transaction_stores(fresh_database: str) -> None:
    with (
        psycopg.connect(fresh_database, prepare_threshold=None) as conn,
        psycopg.connect(fresh_database, prepare_threshold=None) as other,
    ):
        ingest_facts(conn, fact(fact_id="old"), now=NOW - timedelta(hours=1))
        conn.commit()
        ingest_facts(other, fact(fact_id="new"))
        started = time.monotonic()
        assert together(conn, fact(fact_id="new"), fact(fact_id="other")) is None
        assert time.monotonic() - started < 1
        other.rollback()
        assert together(conn, fact(fact_id="new"), fact(fact_id="other")) == [
            receipt(1),
            receipt(1),
        ]
