"""Unknown kinds and sources are answered with the nearest known name."""

from __future__ import annotations

import pytest
from psycopg import Connection

from tests.sql.calls import (
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


@pytest.mark.parametrize(
    ("others", "params"), [(9_999, {"nearest": "zz_queue_depth"}), (10_000, {})]
)
def test_no_more_than_ten_thousand_kinds_are_compared(
    db: Connection, others: int, params: dict[str, str]
) -> None:
    db.execute(
        "insert into data.kind (name, type, created_at)"
        " select 'service_' || n, 'gauge', now() from generate_series(1, %s) as n",
        [others],
    )
    # The last by its time and by its name.
    ingest_metrics(db, metric("zz_queue_depth"))

    with refused(db, "kind_unknown") as refusal:
        query_agg(db, "zz_queue_dept")
    assert refusal.params == params
