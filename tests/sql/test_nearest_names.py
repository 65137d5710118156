"""Unknown kinds and sources are answered with the nearest known name."""

from __future__ import annotations

import time

import pytest
from psycopg import Connection

from tests.sql.calls import (
    ask,
    fact,
    ingest_facts,
    ingest_metrics,
    metric,
    query_agg,
    query_facts,
    refused,
)


@pytest.mark.parametrize(
    ("sent", "nearest"),
    [
        ("DealClosed", "Fact:DealClosed"),
        ("fact:dealclosed", "Fact:DealClosed"),
        ("http_request_total", "http_requests_total"),
        ("HTTP.requests", "http_requests_total"),
    ],
)
def test_the_nearest_kind_is_suggested(db: Connection, sent: str, nearest: str) -> None:
    ingest_facts(db, fact("Fact:DealClosed"))
    ingest_metrics(db, [metric("http_requests_total"), metric("cpu")])

    with refused(db, "kind_unknown") as refusal:
        query_agg(db, sent)
    assert refusal.message == f'unknown kind "{sent}"'
    assert refusal.params == {"nearest": nearest}
    assert refusal.hint == (
        f'Did you mean "{nearest}"? list_kinds (GET /query/kinds) lists all kinds.'
    )


def test_the_nearest_source_is_suggested(db: Connection) -> None:
    ingest_metrics(db, [metric(source="web-frontend"), metric(source="crm")])

    with refused(db, "source_unknown") as refusal:
        query_agg(db, source="web_fronted")
    assert refusal.params == {"nearest": "web-frontend"}
    assert refusal.hint.startswith('Did you mean "web-frontend"? ')


@pytest.mark.parametrize(
    ("kind", "asked"), [("cpu", "kind=cpu"), (None, "a kind"), ("Fact:Deal", "kind=Fact:Deal")]
)
def test_an_unknown_source_is_answered_with_the_question_that_lists_sources(
    db: Connection, kind: str | None, asked: str
) -> None:
    ingest_metrics(db, metric())
    ingest_facts(db, fact())

    with refused(db, "source_unknown") as refusal:
        query_agg(db, kind, source="nobody")
    assert refusal.hint == (
        f"query_agg (GET /query/agg) with {asked} and group_by=source lists its sources."
    )


@pytest.mark.parametrize("sent", ["shp", "shopp"])
def test_a_typing_error_in_a_short_name_is_recognized(db: Connection, sent: str) -> None:
    ingest_metrics(db, [metric(source="shop"), metric(source="crm")])

    with refused(db, "source_unknown") as refusal:
        query_agg(db, source=sent)
    assert refusal.params == {"nearest": "shop"}
    with refused(db, "source_unknown") as refusal:
        query_facts(db, source="crn")
    assert refusal.params == {"nearest": "crm"}


def test_nothing_is_suggested_when_no_name_is_near(db: Connection) -> None:
    ingest_metrics(db, metric())

    with refused(db, "kind_unknown") as refusal:
        query_agg(db, "temperature")
    assert refusal.params == {}
    assert refusal.hint == "list_kinds (GET /query/kinds) lists all kinds."


def test_a_suggestion_among_a_hundred_thousand_kinds_is_quick(db: Connection) -> None:
    db.execute(
        "insert into data.kind (name, type, created_at)"
        " select 'service_' || n || '_requests_total', 'gauge', now()"
        " from generate_series(1, 100000) as n"
    )

    started = time.monotonic()
    with refused(db, "kind_unknown"):
        ask(db, "select internal.find_kinds('service_77_requests')")
    # Comparing all of them takes 2 s.
    assert time.monotonic() - started < 1
