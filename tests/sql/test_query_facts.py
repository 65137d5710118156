"""Pages of facts."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import (
    NOW,
    ago,
    ask,
    fact,
    ingest_facts,
    ingest_metrics,
    metric,
    query_facts,
    refused,
)


def ids(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    return [item["fact_id"] for item in answer["items"]]


def numbered(count: int) -> list[object]:
    return [fact(fact_id=f"f{n:03}", ts=ago(minutes=n)) for n in range(count)]


def test_the_newest_facts_come_first(db: Connection) -> None:
    ingest_facts(db, [fact(fact_id="old", ts=ago(days=60)), fact(fact_id="new")])

    assert ids(query_facts(db)) == ["new", "old"]


def test_filters_narrow_together(db: Connection) -> None:
    ingest_facts(
        db,
        [
            fact(fact_id="1", subject="x"),
            fact(fact_id="2", subject="x", source="web"),
            fact("Fact:Refund", fact_id="3", subject="x"),
            fact(fact_id="4", subject="y"),
        ],
    )

    assert ids(query_facts(db, kind="Fact:Deal", source="crm", subject="x")) == ["1"]
    assert sorted(ids(query_facts(db, kind="Fact:Deal"))) == ["1", "2", "4"]
    assert sorted(ids(query_facts(db, source="crm"))) == ["1", "3", "4"]
    assert sorted(ids(query_facts(db, subject="x"))) == ["1", "2", "3"]
    assert ids(query_facts(db, kind="Fact:Refund", source="web")) == []


def test_from_is_inside_and_to_is_not(db: Connection) -> None:
    ingest_facts(db, numbered(4))

    answer = query_facts(db, from_=NOW - timedelta(minutes=2), to=NOW - timedelta(minutes=0))
    assert ids(answer) == ["f001", "f002"]


def test_without_to_the_facts_of_the_next_hour_are_included(db: Connection) -> None:
    ingest_facts(db, fact(fact_id="f", ts=NOW.isoformat()))

    hour_before = NOW - timedelta(hours=1)
    assert ids(query_facts(db, now=hour_before)) == []
    assert ids(query_facts(db, now=hour_before + timedelta(microseconds=1))) == ["f"]


def test_a_page_has_a_hundred_facts_unless_asked_otherwise(db: Connection) -> None:
    ingest_facts(db, numbered(101))

    assert ids(query_facts(db)) == [f"f{n:03}" for n in range(100)]


def test_facts_of_one_instant_come_in_the_order_opposite_to_their_arrival(db: Connection) -> None:
    for name in ("b", "c", "a"):
        ingest_facts(db, fact(fact_id=name, ts=ago(minutes=1)))

    assert ids(query_facts(db)) == ["a", "c", "b"]
    first = query_facts(db, limit=2)
    assert ids(first) == ["a", "c"]
    assert ids(query_facts(db, limit=2, cursor=first["next_cursor"])) == ["b"]


def test_the_end_has_no_cursor(db: Connection) -> None:
    ingest_facts(db, numbered(3))

    assert query_facts(db, limit=3)["next_cursor"] is None
    assert query_facts(db, limit=2)["next_cursor"] is not None


def test_a_cursor_does_not_leave_the_window(db: Connection) -> None:
    ingest_facts(db, numbered(6))
    cursor = query_facts(db, limit=1)["next_cursor"]

    answer = query_facts(db, cursor=cursor, to=NOW - timedelta(minutes=3))
    assert ids(answer) == ["f004", "f005"]


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32), limit=st.integers(1, 7))
def test_pages_give_every_fact_once_while_others_arrive(
    db: Connection, seed: int, limit: int
) -> None:
    rng = random.Random(seed)
    # Few instants: many facts share one.
    known = [fact(fact_id=f"k{n}", ts=ago(minutes=rng.randrange(4))) for n in range(20)]
    with db.transaction(force_rollback=True):
        ingest_facts(db, known)
        seen: list[str] = []
        cursor = None
        while True:
            page = query_facts(db, limit=limit, cursor=cursor)
            seen += ids(page)
            cursor = page["next_cursor"]
            if cursor is None:
                break
            ingest_facts(
                db, fact(fact_id=f"late{len(seen)}-{limit}", ts=ago(minutes=rng.randrange(4)))
            )
        assert len(seen) == len(set(seen))
        assert {item["fact_id"] for item in known} <= set(seen)


CHOICES = {
    "kind": ["Fact:Deal", "Fact:Sale"],
    "source": ["crm", "web"],
    "subject": ["ACME", "Zürich"],
}


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    sent=st.lists(
        st.tuples(*(st.sampled_from(names) for names in CHOICES.values()), st.integers(-1, 4)),
        min_size=10,
        max_size=25,
    ),
    filters=st.fixed_dictionaries(
        {}, optional={name: st.sampled_from(names) for name, names in CHOICES.items()}
    ),
    edges=st.lists(st.integers(-3, 6), min_size=2, max_size=2, unique=True),
    limit=st.integers(1, 7),
)
def test_pages_have_the_facts_that_match_in_their_order(
    db: Connection,
    sent: list[tuple[str, str, str, int]],
    filters: dict[str, str],
    edges: list[int],
    limit: int,
) -> None:
    end, start = sorted(edges)
    # One of each name, so that none is unknown, too old for the question.
    known = [*sent, *((*names, 90) for names in zip(*CHOICES.values(), strict=True))]
    items = [
        fact(kind, source, subject=subject, fact_id=str(n), value=n, ts=ago(minutes=minutes))
        for n, (kind, source, subject, minutes) in enumerate(known)
    ]
    matching = [
        item
        for item in items
        if ago(minutes=start) <= str(item["ts"]) < ago(minutes=end)
        and all(item[name] == value for name, value in filters.items())
    ]
    newest = sorted(matching, key=lambda item: (item["ts"], item["value"]), reverse=True)
    found: list[dict[str, object]] = []
    with db.transaction(force_rollback=True):
        ingest_facts(db, items)
        asked: dict[str, Any] = {
            **filters,
            "from_": NOW - timedelta(minutes=start),
            "to": NOW - timedelta(minutes=end),
        }
        cursor = None
        while len(found) <= len(newest):
            page = query_facts(db, limit=limit, cursor=cursor, **asked)
            found += page["items"]
            assert len(page["items"]) == limit or page["next_cursor"] is None
            cursor = page["next_cursor"]
            if cursor is None:
                break
    names = ("kind", "source", "subject", "fact_id", "value")
    assert [[item[name] for name in names] for item in found] == [
        [item[name] for name in names] for item in newest
    ]


@pytest.mark.parametrize(
    "cursor", ["", "x", "1", "1-2", "00", "ff", "é", "30" * 500, "61" * 20, "3" * 39]
)
def test_an_unknown_cursor_is_refused(db: Connection, cursor: str) -> None:
    with refused(db, "cursor_invalid"):
        query_facts(db, cursor=cursor)


@pytest.mark.parametrize(
    "place", ["", "1", "1/", "/1", "1/2/3", "-1/2", "9" * 18 + "/1", "1/" + "9" * 19]
)
def test_a_cursor_of_no_place_is_refused(db: Connection, place: str) -> None:
    cursor = ask(db, "select internal.write_cursor('facts', %s)", place)

    with refused(db, "cursor_invalid"):
        query_facts(db, cursor=cursor)


def test_a_cursor_of_another_list_or_cut_short_is_refused(db: Connection) -> None:
    ingest_facts(db, numbered(2))
    cursor = query_facts(db, limit=1)["next_cursor"]
    other = ask(db, "select internal.write_cursor('kinds', '1/2')")

    assert ids(query_facts(db, cursor=cursor)) == ["f001"]
    for unknown in (other, cursor[:-2], cursor + "30", cursor.upper() + "A"):
        with refused(db, "cursor_invalid"):
            query_facts(db, cursor=unknown)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    cursor=st.one_of(
        st.text(st.characters(exclude_characters="\0", codec="utf-8")), st.binary().map(bytes.hex)
    )
)
def test_no_text_but_a_cursor_is_read_as_one(db: Connection, cursor: str) -> None:
    for call in (
        "select api.query_facts(null, null, null, null, null, null, %s, now())",
        "select api.list_kinds(null, null, null, %s)",
    ):
        with refused(db, "cursor_invalid"):
            ask(db, call, cursor)


def test_from_is_before_to(db: Connection) -> None:
    ingest_facts(db, fact())

    for start, end in (
        (NOW, NOW),
        (NOW, NOW - timedelta(seconds=1)),
        (NOW + timedelta(days=1), None),
    ):
        with refused(db, "from_before_to") as refusal:
            query_facts(db, from_=start, to=end)
        assert refusal.hint
    assert query_facts(db, from_=NOW, to=NOW + timedelta(microseconds=1))["items"]


def test_unknown_names_are_refused(db: Connection) -> None:
    ingest_facts(db, fact())

    with refused(db, "kind_unknown"):
        query_facts(db, kind="Fact:None")
    with refused(db, "source_unknown"):
        query_facts(db, source="nobody")


def test_a_namespace_without_facts_sees_none_of_others(db: Connection) -> None:
    seen = []
    for namespace in ("shop", "bank", ""):
        db.execute("select set_config('supervisor.namespace', %s, true)", [namespace])
        if namespace == "shop":
            ingest_facts(db, fact(fact_id="f"))
        seen.append(ids(query_facts(db)))

    assert seen == [["f"], [], []]


def test_a_metric_has_no_facts(db: Connection) -> None:
    ingest_metrics(db, metric())

    assert query_facts(db, kind="cpu") == {
        "items": [],
        "next_cursor": None,
        "hint": "The kind is a gauge, not one of facts."
        " query_metrics (GET /query/metrics) lists its points.",
    }


def test_of_a_source_without_the_kind_the_answer_says_who_has_it(db: Connection) -> None:
    ingest_facts(db, [fact(), fact("Fact:Visit", source="desk")])

    assert query_facts(db, kind="Fact:Deal", source="desk")["hint"] == (
        "The source has not sent this kind. query_agg (GET /query/agg) with kind=Fact:Deal and"
        " group_by=source lists its sources."
    )


@pytest.mark.parametrize(
    "filters",
    [
        {"kind": "Fact:Deal", "subject": "nobody"},
        {"kind": "Fact:Deal", "source": "crm", "from_": NOW + timedelta(minutes=1)},
        {"source": "crm", "subject": "nobody"},
    ],
)
def test_what_may_have_facts_needs_no_hint(db: Connection, filters: dict[str, Any]) -> None:
    ingest_facts(db, fact())

    assert query_facts(db, **filters) == {"items": [], "next_cursor": None}
