"""Metric items that are good but for one field: each rule alone decides, up to its edge."""

from __future__ import annotations

from datetime import timedelta

import pytest
from psycopg import Connection

from tests.sql.calls import (
    NOW,
    Item,
    Json,
    ask,
    fact,
    histogram,
    ingest_facts,
    ingest_metrics,
    metric,
    query_agg,
    receipt,
)

INSTANT = timedelta(microseconds=1)
RETENTION = timedelta(days=90)
GOOD: list[Item] = [
    metric("a" * 200),
    metric(source="a" * 200),
    metric("g.negative", value=-1),
    metric("g.lowest", value=-1e140),
    metric("g.highest", value=1e140, type="gauge"),
    metric("g.small", value=0.5, type="gauge", unit="u" * 50),
    metric("c.zero", value=0, type="counter"),
    metric("c.small", value=0.5, type="counter"),
    # The kind is new in the batch, and has its type from the items above.
    metric("c.zero", source="untyped", value=0),
    metric("c.small", source="untyped", value=0.5),
    metric("g.nulls", ts=None, labels=None, type=None, unit=None),
    metric("g.labels", labels={f"l{n}": "x" * 500 for n in range(32)}),
    metric("g.label", labels={"a" * 100: ""}),
    metric("g.ahead", ts=(NOW + timedelta(minutes=5)).isoformat()),
    metric("g.hour", ts=(NOW - timedelta(hours=1)).isoformat()),
    metric("g.oldest", ts=(NOW - RETENTION).isoformat()),
    histogram([1], [1, 2], 3),
    histogram([1], [1, 2], 3, name="h.typed", type="histogram", unit="s"),
    # Of kinds that are known before.
    metric("known.gauge", value=-0.5, unit="s"),
    metric("known.gauge", source="typed", value=3, unit="seconds", type="gauge"),
    metric("known.counter", value=0.25),
    metric("known.counter", source="typed", value=0, type="counter"),
    metric("known.bare", value=2, unit="bytes"),
    histogram([1], [0, 2], 3, name="known.histogram"),
    histogram([1], [0, 2], 3, name="known.histogram", source="typed", type="histogram"),
]
BAD: list[Item] = [
    metric("a" * 201),
    metric(""),
    metric(True),
    metric(None),
    metric("Fact:New"),
    metric("Fact:Known"),
    metric(source="a" * 201),
    metric(source=True),
    metric(source=None),
    metric("g.over", value=1.0001e140),
    metric("g.under", value=-1.0001e140),
    metric("g.text", value="1"),
    metric("g.none", value=None),
    metric("g.more", more=1),
    metric("g.unit", unit="u" * 51),
    metric("g.unit", unit=5),
    metric("g.unit", unit={"a": 1}),
    metric("g.type", type="summary"),
    metric("g.type", type="fact"),
    metric("g.labels", labels={f"l{n}": "" for n in range(33)}),
    metric("g.label", labels={"a": "x" * 501}),
    metric("g.label", labels={"a" * 101: ""}),
    metric("g.label", labels=[]),
    metric("c.new", value=-0.001, type="counter"),
    metric("g.ahead", ts=(NOW + timedelta(minutes=5) + INSTANT).isoformat()),
    metric("g.oldest", ts=(NOW - RETENTION - INSTANT).isoformat()),
    metric("g.histogram", type="histogram"),
    histogram([1], [1, 2], 3, type="gauge"),
    histogram([1], [1, 2], 3, type="counter"),
    {**histogram([1], [1, 2], 3), "value": {}},
    # Of kinds that are known before.
    metric("known.gauge", unit="bytes"),
    metric("known.gauge", unit=["s"]),
    metric("known.gauge", type="counter"),
    metric("known.gauge", value="1"),
    metric("known.gauge", more=1),
    metric("known.gauge", ts=(NOW + timedelta(minutes=5) + INSTANT).isoformat()),
    metric("known.gauge", ts=(NOW - RETENTION - INSTANT).isoformat()),
    metric("known.gauge", labels={"a": 1}),
    metric("known.counter", value=-0.001),
    metric("known.counter", type="gauge"),
    metric("known.histogram"),
    histogram([1], [1, 2], 3, name="known.gauge"),
    histogram([1], [1, 2], 3, name="known.counter"),
    {**histogram([1], [1, 2], 3, name="known.histogram"), "value": {"bounds": [1]}},
]
# Each bad one between good ones.
MIXED = [item for n, bad in enumerate(BAD) for item in ([GOOD[n], bad] if n < len(GOOD) else [bad])]
REFUSED = [n for n, item in enumerate(MIXED) if item in BAD]


@pytest.fixture
def known(db: Connection) -> Connection:
    before = (NOW - timedelta(minutes=2)).isoformat()
    ingest_metrics(
        db,
        [
            metric("true", source="true", ts=before),
            metric("known.gauge", unit="s", ts=before),
            metric("known.counter", type="counter", ts=before),
            metric("known.bare", ts=before),
            histogram([1], [1, 2], 3, name="known.histogram", ts=before),
        ],
    )
    ingest_facts(db, fact("Fact:Known", "web"))
    return db


def rejected(answer: Json) -> list[int]:
    return sorted({entry["index"] for entry in answer["rejected"]})


def test_of_a_batch_the_good_items_are_stored_and_the_others_named(known: Connection) -> None:
    first = ingest_metrics(known, MIXED, partial=True)
    again = ingest_metrics(known, MIXED, partial=True)

    # New series first, then known ones.
    assert (rejected(first), rejected(again)) == (REFUSED, REFUSED)
    assert {**first, "rejected": []} == receipt(len(GOOD), late=first["late"])
    assert {**again, "rejected": []} == receipt(0, duplicate=len(GOOD))


def test_an_item_alone_is_judged_as_among_others(known: Connection) -> None:
    for _ in ("new", "known"):
        judged = [bool(ingest_metrics(known, item, partial=True)["rejected"]) for item in MIXED]
        assert [n for n, bad in enumerate(judged) if bad] == REFUSED


def test_items_are_stored_as_they_were_sent(known: Connection) -> None:
    ingest_metrics(known, MIXED, partial=True)

    sent = sorted(
        (
            str(item["name"]),
            str(item["source"]),
            item["value"]["sum"] if isinstance(item["value"], dict) else item["value"],
            item["value"]["count"] if isinstance(item["value"], dict) else 1,
            item["ts"] if item.get("ts") else NOW.isoformat(),
        )
        for item in GOOD
    )
    rows = known.execute(
        "select kind.name, source.name, value, observations, ts"
        " from data.sample join data.kind using (kind_id) join data.series using (series_id)"
        " join data.source using (source_id) where ts <> %s and kind.type <> 'fact'",
        [NOW - timedelta(minutes=2)],
    )
    assert sorted((*row[:4], row[4].isoformat()) for row in rows) == sent


def test_the_first_unit_of_a_kind_settles_it_whenever_it_comes(known: Connection) -> None:
    ingest_metrics(known, [metric("known.bare", value=2, unit="bytes")])

    assert query_agg(known, "known.bare")["unit"] == "bytes"
    answer = ingest_metrics(known, metric("known.bare", value=3, unit="s"), partial=True)
    assert [entry["slug"] for entry in answer["rejected"]] == ["kind_unit_settled"]


@pytest.mark.parametrize("others", [[], [metric("new.kind")], [metric("bad", value="x")]])
@pytest.mark.parametrize(
    ("name", "sent", "count"),
    [("known.gauge", 1, 1), ("known.histogram", histogram([1], [1, 2], 7)["value"], 3)],
)
def test_a_sample_counts_as_many_observations_as_it_has_whatever_comes_with_it(
    known: Connection, others: list[Item], name: str, sent: object, count: int
) -> None:
    before = ask(
        known,
        "select sum(observations) from data.sample join data.kind using (kind_id) where name = %s",
        name,
    )
    ingest_metrics(known, [metric(name, value=sent), *others], partial=True)

    assert query_agg(known, name)["count"] == before + count
