"""Fact items: identity, retries, conflicts and refusals."""

from __future__ import annotations

from datetime import timedelta

import pytest
from psycopg import Connection

from tests.sql.calls import (
    NOW,
    ago,
    ask,
    fact,
    faults,
    ingest_facts,
    ingest_metrics,
    metric,
    query_agg,
    query_facts,
    receipt,
)

LATER = NOW + timedelta(minutes=10)


def test_a_fact_is_given_back_whole(db: Connection) -> None:
    payload = {"stage": "won", "tags": ["a", None, 1.5], "nested": {"x": {}}}
    ingest_facts(
        db,
        fact(fact_id="d1", subject="ACME", value=250, payload=payload, ts=ago(minutes=5)),
    )

    (item,) = query_facts(db)["items"]
    assert {key: item[key] for key in item if key not in ("ts", "received_at")} == {
        "kind": "Fact:Deal",
        "source": "crm",
        "fact_id": "d1",
        "subject": "ACME",
        "value": 250,
        "payload": payload,
    }


def test_facts_count_in_the_aggregate_of_their_kind(db: Connection) -> None:
    ingest_facts(db, [fact(value=3), fact(value=5), fact()])

    answer = query_agg(db, "Fact:Deal")
    assert (answer["count"], answer["sum"], answer["avg"]) == (3, 8, 4)


def test_every_bad_fact_is_named_by_its_index(db: Connection) -> None:
    items = [
        fact(),
        5,
        fact(labels={}),
        fact("Deal"),
        fact("Fact:1st"),
        fact("Fact:" + "a" * 101),
        fact(7),
        fact(source=None),
        fact(source="a b"),
        fact(value="5"),
        fact(value=1e141),
        fact(fact_id=5),
        fact(fact_id=""),
        fact(fact_id="a" * 201),
        fact(fact_id="a\nb"),
        fact(subject=""),
        fact(subject="a" * 501),
        fact(payload=[]),
        fact(payload={"a": "x" * 65536}),
        fact(ts="soon"),
        fact(ts=(NOW + timedelta(minutes=6)).isoformat()),
        fact(ts=ago(days=366 * 5 + 1)),
    ]
    assert faults(db, items, facts=True) == [
        (1, "", "item_is_object"),
        (2, "labels", "item_fields_known"),
        (3, "kind", "fact_kind_well_formed"),
        (4, "kind", "fact_kind_well_formed"),
        (5, "kind", "fact_kind_well_formed"),
        (6, "kind", "fact_kind_well_formed"),
        (7, "source", "source_name_well_formed"),
        (8, "source", "source_name_well_formed"),
        (9, "value", "value_finite"),
        (10, "value", "value_finite"),
        (11, "fact_id", "fact_id_well_formed"),
        (12, "fact_id", "fact_id_well_formed"),
        (13, "fact_id", "fact_id_well_formed"),
        (14, "fact_id", "fact_id_well_formed"),
        (15, "subject", "subject_well_formed"),
        (16, "subject", "subject_well_formed"),
        (17, "payload", "payload_well_formed"),
        (18, "payload", "payload_well_formed"),
        (19, "ts", "ts_well_formed"),
        (20, "ts", "ts_not_in_future"),
        (21, "ts", "ts_within_retention"),
    ]
    assert query_facts(db)["items"] == []


def test_partial_stores_the_good_facts(db: Connection) -> None:
    answer = ingest_facts(db, [fact(value="x"), fact(fact_id="d1")], partial=True)

    assert answer["accepted"] == 1
    assert [bad["index"] for bad in answer["rejected"]] == [0]


def test_a_fact_id_is_stored_once_whenever_it_is_sent(db: Connection) -> None:
    assert ingest_facts(db, fact(fact_id="d1")) == receipt(1)
    assert ingest_facts(db, fact(fact_id="d1"), now=LATER) == receipt(0, duplicate=1)


@pytest.mark.parametrize("values", [(1, 2), (2, 1)])
def test_of_two_facts_with_one_id_in_a_batch_the_first_is_stored(
    db: Connection, values: tuple[int, int]
) -> None:
    batch = [fact(fact_id="d1", value=value) for value in values]

    assert ingest_facts(db, batch) == receipt(1, conflict=1)
    assert [item["value"] for item in query_facts(db)["items"]] == [values[0]]


def test_facts_of_a_batch_are_numbered_in_its_order(db: Connection) -> None:
    names = ["m", "z", "a"]
    ingest_facts(db, [fact(fact_id=name) for name in names])

    numbered = "select array_agg(fact_id order by seq) from data.fact_identity"
    assert ask(db, numbered) == names


def test_the_same_fact_id_of_another_source_is_another_fact(db: Connection) -> None:
    assert ingest_facts(db, [fact(fact_id="d1"), fact(fact_id="d1", source="b")]) == receipt(2)


@pytest.mark.parametrize(
    "other",
    [
        {"value": 2},
        {"subject": "other"},
        {"payload": {"a": 2}},
        {"kind": "Fact:Refund"},
        {"ts": "2025-06-15T12:00:00Z"},
    ],
)
def test_another_content_of_a_fact_id_is_a_conflict(
    db: Connection, other: dict[str, object]
) -> None:
    first = {**fact(fact_id="d1", value=1, subject="s", payload={"a": 1}), "ts": ago(hours=2)}
    ingest_facts(db, first)
    # The kind must be known for its series to be.
    ingest_facts(db, fact("Fact:Refund"))

    assert ingest_facts(db, {**first, **other}) == receipt(0, conflict=1)
    assert ask(db, "select item from data.conflict") == {**first, **other}


def test_facts_equal_but_for_the_writing_are_duplicates(db: Connection) -> None:
    ingest_facts(
        db, '{"kind":"Fact:Deal","source":"crm","fact_id":"a","value":1,"payload":{"b":1,"c":2}}'
    )

    again = (
        '{"payload":{"c":2.0,"b":1.0},"value":1.00,"fact_id":"a","source":"crm","kind":"Fact:Deal"}'
    )
    assert ingest_facts(db, again) == receipt(0, duplicate=1)


def test_a_fact_with_an_instant_and_no_id_is_known_by_its_content(db: Connection) -> None:
    item = fact(value=1, ts=ago(minutes=1))

    assert ingest_facts(db, [item, item]) == receipt(1, duplicate=1)
    assert ingest_facts(db, item, now=LATER) == receipt(0, duplicate=1)
    assert ingest_facts(db, {**item, "value": 2}) == receipt(1)


def test_facts_without_id_and_timestamp_are_all_new(db: Connection) -> None:
    assert ingest_facts(db, [fact(), fact()]) == receipt(2)


def test_facts_and_metrics_do_not_share_names(db: Connection) -> None:
    ingest_facts(db, fact())

    assert faults(db, metric("Fact:Deal")) == [(0, "name", "kind_prefix_matches_type")]
    assert ingest_metrics(db, metric("Deal")) == receipt(1)
