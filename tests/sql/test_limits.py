"""Limits: how much a request, a source and an answer may hold."""

from __future__ import annotations

import time
from datetime import timedelta

import psycopg
import pytest
from psycopg import Connection

from tests.sql.calls import (
    NOW,
    Item,
    ago,
    ask,
    fact,
    ingest_facts,
    ingest_metrics,
    metric,
    refused,
)


def test_ten_thousand_items_are_taken_and_not_more(db: Connection) -> None:
    assert ingest_metrics(db, [metric()] * 10000)["accepted"] == 1
    with refused(db, "batch_within_limit"):
        ingest_metrics(db, [metric()] * 10001)
    with refused(db, "batch_within_limit"):
        ingest_facts(db, [fact()] * 10001)


def test_new_series_of_a_source_are_limited_within_an_hour(db: Connection) -> None:
    db.execute("update data.quota set value = 3 where name = 'new_series_per_source_and_hour'")
    labelled = [metric(labels={"n": str(n)}) for n in range(5)]

    ingest_metrics(db, labelled[:3])
    with refused(db, "series_within_quota"):
        ingest_metrics(db, labelled)
    assert ingest_metrics(db, metric(source="other"))["accepted"] == 1
    later = NOW + timedelta(hours=1)
    assert ingest_metrics(db, labelled[3:], now=later)["accepted"] == 2


def test_known_series_need_no_quota(db: Connection) -> None:
    ingest_metrics(db, [metric(labels={"n": str(n)}) for n in range(5)])
    db.execute("update data.quota set value = 1 where name = 'new_series_per_source_and_hour'")

    later = NOW + timedelta(minutes=1)
    items = [metric(labels={"n": str(n)}) for n in range(5)]
    assert ingest_metrics(db, items, now=later)["accepted"] == 5


def test_many_series_of_one_source_are_found_one_by_one(db: Connection) -> None:
    of_one = [metric(labels={"n": str(n)}) for n in range(1000)]
    of_many = [metric("other", f"s{n}", labels={"n": str(n)}) for n in range(1000)]
    ingest_metrics(db, of_one)
    ingest_metrics(db, of_many)

    def seconds(items: list[Item]) -> float:
        started = time.monotonic()
        assert ingest_metrics(db, items)["duplicate"] == 1000
        return time.monotonic() - started

    taken = [(seconds(of_one), seconds(of_many)) for _ in range(3)]
    # Comparing each item with each series of its source takes many times as long.
    assert min(one for one, _ in taken) < 4 * min(many for _, many in taken)


@pytest.mark.parametrize(("function", "most"), [("query_facts", 1000), ("list_kinds", 1000)])
@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_pages_have_a_limit(db: Connection, function: str, most: int, limit: int) -> None:
    calls = {
        "query_facts": "select api.query_facts(null, null, null, null, null, %s, null, now())",
        "list_kinds": "select api.list_kinds(null, null, %s, null)",
    }
    assert ask(db, calls[function], most)["items"] == []
    with refused(db, "limit_in_range"):
        ask(db, calls[function], limit)


def test_a_series_answer_has_a_limit_of_points(db: Connection) -> None:
    ingest_metrics(db, metric(ts=ago(hours=1)))
    call = "select api.query_metrics('cpu', null, null, %s, %s, '1s', null, %s)"

    assert ask(db, call, NOW - timedelta(hours=24), NOW, NOW)["series"]
    with refused(db, "series_within_limit"):
        ask(db, call, NOW - timedelta(days=2), NOW, NOW)


@pytest.mark.parametrize(
    ("sources", "seconds", "within"),
    # A point more than the steps: the first one may begin before the range.
    [(1, 99_999, True), (1, 100_000, False), (2, 49_999, True), (2, 50_000, False)],
)
def test_a_series_answer_has_a_hundred_thousand_points_at_most(
    db: Connection, sources: int, seconds: int, within: bool
) -> None:
    # No points are made for series without samples in the range.
    ingest_metrics(db, [metric(source=f"s{n}", ts=NOW.isoformat()) for n in range(sources)])
    call = "select api.query_metrics('cpu', null, null, %s, %s, '1s', null, %s)"
    end = NOW - timedelta(days=5)
    asked = (end - timedelta(seconds=seconds), end, NOW)

    if within:
        assert ask(db, call, *asked)["series"] == []
    else:
        with refused(db, "series_within_limit"):
            ask(db, call, *asked)


def test_a_null_character_is_refused_by_the_server(db: Connection) -> None:
    with pytest.raises(psycopg.Error) as caught, db.transaction():
        ingest_metrics(db, '{"name": "a", "source": "s\\u0000", "value": 1}')
    assert caught.value.sqlstate == "22P05"
