"""Fact items that are good but for one field: each rule alone decides, up to its edge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from psycopg import Connection

from tests.sql.calls import (
    NOW,
    Item,
    Json,
    ago,
    ask,
    fact,
    ingest_facts,
    ingest_metrics,
    metric,
    query_facts,
    receipt,
)

INSTANT = timedelta(microseconds=1)
# As PostgreSQL writes it, {"a": "xx…"} has 9 characters besides.
LARGEST = 65536 - 9
GOOD: list[Item] = [
    fact(),
    fact("Fact:" + "a" * 100),
    fact(source="a" * 200),
    fact(subject="a"),
    fact(subject="a" * 500),
    fact(fact_id="a" * 200),
    fact(value=-1e140),
    fact(value=0),
    fact(payload={"a": "x" * LARGEST}),
    fact(payload={}),
    fact(ts=(NOW + timedelta(minutes=5)).isoformat()),
    fact(ts=(NOW - timedelta(hours=1)).isoformat()),
    fact(ts=(NOW - timedelta(hours=30)).isoformat()),
    fact(fact_id=None, subject=None, value=None, payload=None, ts=None),
]
BAD: list[Item] = [
    fact("Deal"),
    fact("Fact:" + "a" * 101),
    fact(True),
    fact(None),
    fact("cpu"),
    fact(source="a" * 201),
    fact(source=True),
    fact(source=None),
    fact(value="1"),
    fact(value=1.0001e140),
    fact(value=[]),
    fact(fact_id=""),
    fact(fact_id="a" * 201),
    fact(fact_id=7),
    fact(subject=""),
    fact(subject="a" * 501),
    fact(subject=7),
    fact(payload={"a": "x" * (LARGEST + 1)}),
    fact(payload=[]),
    fact(payload="x"),
    fact(more=1),
    fact(ts=(NOW + timedelta(minutes=5) + INSTANT).isoformat()),
    fact(ts="soon"),
]
MIXED = [item for n, bad in enumerate(BAD) for item in ([GOOD[n], bad] if n < len(GOOD) else [bad])]
REFUSED = [n for n, item in enumerate(MIXED) if item in BAD]
# Without one, each is a new one.
NAMED = [
    item if item.get("fact_id") or item.get("ts") else {**item, "fact_id": f"n{n}"}
    for n, item in enumerate(GOOD)
]


def rejected(answer: Json) -> list[int]:
    return sorted({entry["index"] for entry in answer["rejected"]})


@pytest.fixture
def sources(db: Connection) -> Connection:
    """Two sources that metrics use; one has the spelling of what is no string."""
    ingest_metrics(db, [metric("cpu", "crm"), metric("cpu", "true")])
    return db


def test_of_a_batch_the_good_facts_are_stored_and_the_others_named(sources: Connection) -> None:
    identified = sum(1 for item in GOOD if item.get("fact_id") or item.get("ts"))
    for repeated in (0, identified):
        answer = ingest_facts(sources, MIXED, partial=True)
        assert rejected(answer) == REFUSED
        assert {**answer, "rejected": []} == receipt(
            len(GOOD) - repeated, duplicate=repeated, late=answer["late"]
        )


def test_a_fact_alone_is_judged_as_among_others(sources: Connection) -> None:
    for _ in ("new", "known"):
        judged = [bool(ingest_facts(sources, item, partial=True)["rejected"]) for item in MIXED]
        assert [n for n, bad in enumerate(judged) if bad] == REFUSED


def test_a_fact_is_as_old_as_facts_are_kept_at_most(sources: Connection) -> None:
    first = ask(sources, "select %s::timestamptz - internal.retention('fact')", NOW)
    oldest = fact(fact_id="a", ts=first.isoformat())
    older = fact(fact_id="b", ts=(first - INSTANT).isoformat())

    answer = ingest_facts(sources, [oldest, older], partial=True)
    assert (answer["accepted"], rejected(answer)) == (1, [1])


def content(item: Mapping[str, Any]) -> list[object]:
    return [item["kind"], item["source"], item.get("subject"), item.get("value")]


def test_facts_are_stored_as_they_were_sent(sources: Connection) -> None:
    assert ingest_facts(sources, NAMED)["accepted"] == len(NAMED)

    items = query_facts(sources, limit=100)["items"]
    assert len(items) == len(NAMED)
    by_id = {item["fact_id"]: item for item in items}
    for item in NAMED:
        stored = by_id[item["fact_id"]] if item.get("fact_id") else None
        if stored is not None:
            assert content(stored) == content(item)
            assert stored["payload"] == (item.get("payload") or {})
            assert stored["ts"] == NOW.isoformat(timespec="milliseconds")
    # One whose name is its content: a digest in hexadecimal.
    assert {len(name) for name in by_id if not name.startswith(("n", "a"))} <= {64, 1}


@pytest.mark.parametrize("first", [0, 1])
def test_of_facts_with_one_id_in_a_batch_the_first_good_one_is_stored(
    sources: Connection, first: int
) -> None:
    bad = [fact(fact_id="a", value="x")] * first
    batch = [*bad, *(fact(fact_id="a", value=value) for value in (5, 3, 5, 8))]

    answer = ingest_facts(sources, batch, partial=True)
    assert (answer["accepted"], answer["duplicate"], answer["conflict"]) == (1, 1, 2)
    assert [item["value"] for item in query_facts(sources)["items"]] == [5]
    kept = sources.execute("select item -> 'value' from data.conflict order by 1").fetchall()
    assert kept == [(3,), (8,)]


def test_of_many_facts_with_few_ids_the_first_of_each_is_stored(sources: Connection) -> None:
    batch = [fact(fact_id=f"f{n * 7 % 20}", value=n) for n in range(400)]

    assert ingest_facts(sources, batch) == receipt(20, conflict=380)
    items = query_facts(sources)["items"]
    assert {item["fact_id"]: item["value"] for item in items} == {
        f"f{n * 7 % 20}": n for n in range(20)
    }


def test_facts_are_numbered_in_the_order_in_which_they_were_sent(sources: Connection) -> None:
    # No order of names, of sources or of times.
    names = ["m", "c", "x", "a", "q"]
    batch = [
        fact(fact_id=name, source=source, ts=ago(minutes=minutes))
        for name, source, minutes in zip(
            names, ["web", "crm", "web", "true", "crm"], [3, 9, 1, 5, 2], strict=True
        )
    ]
    ingest_facts(sources, batch)

    rows = sources.execute("select fact_id from data.fact order by seq").fetchall()
    assert [name for (name,) in rows] == names


def test_a_fact_that_is_known_uses_up_no_number(sources: Connection) -> None:
    ingest_facts(sources, fact(fact_id="a"))
    for _ in range(3):
        ingest_facts(sources, [fact(fact_id="a"), fact(fact_id="a", value=2)])
    ingest_facts(sources, fact(fact_id="b"))

    numbers = sources.execute("select seq from data.fact order by seq").fetchall()
    assert numbers[1][0] - numbers[0][0] == 1


def test_an_id_belongs_to_its_source(sources: Connection) -> None:
    batch = [fact(fact_id=name, source=source) for name in "ab" for source in ("crm", "web")]

    assert ingest_facts(sources, batch[:1]) == receipt(1)
    assert ingest_facts(sources, batch[3:]) == receipt(1)
    assert ingest_facts(sources, batch) == receipt(2, duplicate=2)


def test_bad_facts_are_listed_in_the_order_in_which_they_were_sent(sources: Connection) -> None:
    bad = [fact(source="", fact_id=json.dumps(n)) for n in range(20)]

    answer = ingest_facts(sources, bad, partial=True)
    assert [entry["index"] for entry in answer["rejected"]] == list(range(20))


def test_the_digest_of_a_fact_is_the_same_in_every_release(sources: Connection) -> None:
    # Another one would make a conflict of each known fact that is sent again.
    sources.execute(
        "insert into data.kind (kind_id, name, type, created_at) overriding system value"
        " values (900000001, 'Fact:Old', 'fact', now())"
    )
    items = [
        fact("Fact:Old", fact_id="a", subject="s", value=1.5, payload={"a": [1]}),
        fact("Fact:Old", fact_id="a", ts="2025-06-15T12:00:00.000001Z"),
    ]
    rows = sources.execute(
        "select digest from internal.check_facts(%s::jsonb, %s, null) order by place",
        [json.dumps(items), NOW],
    ).fetchall()
    assert rows == [(-1680839377265720782,), (-4352037707762075508,)]
