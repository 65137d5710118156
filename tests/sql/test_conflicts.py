"""Conflicts: each item whose identity is stored with other content is kept once."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta

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
    ask,
    fact,
    histogram,
    ingest_facts,
    ingest_metrics,
    metric,
    receipt,
)
from tests.sql.test_concurrency import SESSIONS, at_once

LATER = NOW + timedelta(minutes=10)


def kept(db: Connection) -> list[tuple[object, ...]]:
    return db.execute(
        "select attempts, first_received_at, last_received_at from data.conflict order by item"
    ).fetchall()


def test_a_conflicting_metric_sent_again_is_kept_once(db: Connection) -> None:
    ingest_metrics(db, metric(ts=ago(hours=1)))
    item = metric(value=2, ts=ago(hours=1))

    for now in (NOW, NOW, LATER):
        assert ingest_metrics(db, item, now=now) == receipt(0, conflict=1)
    assert kept(db) == [(3, NOW, LATER)]


@pytest.mark.parametrize("ts", [None, ago(hours=1)])
def test_a_conflicting_fact_sent_again_is_kept_once(db: Connection, ts: str | None) -> None:
    ingest_facts(db, fact(fact_id="a", ts=ts))
    item = fact(fact_id="a", value=2, ts=ts)

    for now in (NOW, NOW, LATER):
        assert ingest_facts(db, item, now=now) == receipt(0, conflict=1)
    assert kept(db) == [(3, NOW, LATER)]


def test_of_two_values_for_one_instant_in_a_batch_the_first_is_stored(db: Connection) -> None:
    # The series is new in the first batch and known in the second one.
    for minutes in (1, 2):
        sent = [metric(value=value, ts=ago(minutes=minutes)) for value in (3, 7)]
        assert ingest_metrics(db, sent) == receipt(1, conflict=1)

    assert ask(db, "select array_agg(value) from data.sample") == [3, 3]


def test_the_oldest_item_of_a_batch_may_be_its_only_conflict(db: Connection) -> None:
    old, new = (metric(source=name, ts=ago(hours=n)) for name, n in (("a", 2), ("b", 1)))
    ingest_metrics(db, [old, new])

    answer = ingest_metrics(db, [{**old, "value": 99}, new])
    assert answer == receipt(0, duplicate=1, conflict=1)


def test_a_refused_item_is_no_conflict(db: Connection) -> None:
    ingest_metrics(db, metric(ts=ago(hours=1)))
    ingest_facts(db, fact(fact_id="a", ts=ago(hours=1)))

    bad_metric = metric(value=2, ts=ago(hours=1), extra=1)
    bad_fact = fact(fact_id="a", value=2, ts=ago(hours=1), extra=1)
    for ingest, bad, good, known in (
        (ingest_metrics, bad_metric, metric("other", ts=ago(hours=1)), metric(ts=ago(hours=1))),
        (ingest_facts, bad_fact, fact(fact_id="b"), fact(fact_id="a", ts=ago(hours=1))),
    ):
        answer = ingest(db, [bad, good, known], partial=True)
        assert (answer["accepted"], answer["duplicate"], answer["conflict"]) == (1, 1, 0)
        assert [item["index"] for item in answer["rejected"]] == [0]
    assert kept(db) == []


def test_equal_conflicts_of_one_batch_are_kept_once(db: Connection) -> None:
    first, other = metric(ts=ago(hours=1)), metric(value=2, ts=ago(hours=1))

    assert ingest_metrics(db, [first, other, other, other]) == receipt(1, conflict=3)
    assert kept(db) == [(3, NOW, NOW)]


@pytest.mark.parametrize(
    "again",
    [
        '{"value": 2, "name": "cpu", "ts": "2025-06-15T11:00:00Z", "source": "web"}',
        '{"name": "cpu", "source": "web", "value": 2.00, "ts": "2025-06-15T11:00:00Z"}',
        '{"name": "cpu", "source": "web", "value": 2e0, "ts": 1749985200}',
        '{"name": "cpu", "source": "web", "value": 2, "ts": "2025-06-15T16:30:00.0+05:30"}',
    ],
)
def test_a_conflict_in_another_writing_is_the_same(db: Connection, again: str) -> None:
    ingest_metrics(db, metric(ts="2025-06-15T11:00:00Z"))
    ingest_metrics(db, metric(value=2, ts="2025-06-15T11:00:00Z"))

    assert ingest_metrics(db, again) == receipt(0, conflict=1)
    assert kept(db) == [(2, NOW, NOW)]


@pytest.mark.parametrize("writings", [("2025-06-15T11:00:00Z", 1749985200), (1749985200, None)])
def test_of_one_conflict_in_several_writings_the_first_is_kept(
    db: Connection, writings: tuple[object, object]
) -> None:
    ingest_metrics(db, metric(ts="2025-06-15T11:00:00Z"))
    items = [metric(value=2, ts=ts or "2025-06-15T16:30:00+05:30") for ts in writings]

    assert ingest_metrics(db, items) == receipt(0, conflict=2)
    assert db.execute("select item, attempts from data.conflict").fetchall() == [(items[0], 2)]


def test_a_clock_that_is_behind_does_not_move_the_last_attempt(db: Connection) -> None:
    ingest_metrics(db, metric(ts=ago(hours=1)))
    item = metric(value=2, ts=ago(hours=1))

    for now in (LATER, NOW):
        assert ingest_metrics(db, item, now=now) == receipt(0, conflict=1)
    assert kept(db) == [(2, LATER, LATER)]


@pytest.mark.parametrize(
    "other",
    [
        metric(value=3, ts=ago(hours=1)),
        metric(value=2, ts=ago(hours=2)),
        metric(value=2, ts=ago(hours=1), source="db"),
        metric(value=2, ts=ago(hours=1), labels={"a": "1"}),
        metric("memory", value=2, ts=ago(hours=1)),
    ],
)
def test_other_conflicts_are_kept_apart(db: Connection, other: Item) -> None:
    item = metric(value=2, ts=ago(hours=1))
    ingest_metrics(db, [{**item, "value": 1}, {**other, "value": 1}])
    ingest_metrics(db, item)

    assert ingest_metrics(db, other) == receipt(0, conflict=1)
    assert ask(db, "select count(*) from data.conflict") == 2


# A metric, its source, how long ago, and which of its values.
Sent = tuple[str, str, int, int]

BATCHES = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from(["cpu", "latency"]),
            st.sampled_from(["web", "db"]),
            st.integers(1, 3),
            st.integers(0, 2),
        ),
        min_size=1,
        max_size=8,
    ),
    min_size=1,
    max_size=4,
)
# Of one sum and number, but of other bins.
HISTOGRAMS = [[2, 0, 1], [1, 1, 1], [1, 1, 0]]


def made(name: str, source: str, minutes: int, value: int) -> Item:
    more = {"name": name, "source": source, "ts": ago(minutes=minutes)}
    if name == "latency":
        return {**histogram([1, 3], HISTOGRAMS[value], 4), **more}
    return metric(value=value, **more)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(batches=BATCHES, known=st.booleans(), partial=st.booleans())
@example(
    batches=[[("cpu", "web", 1, 0)], [("cpu", "web", 1, 1), ("cpu", "web", 2, 1)]],
    known=True,
    partial=False,
)
@example(
    batches=[[("cpu", "web", 1, 0)], [("cpu", "web", 3, 1), ("cpu", "web", 1, 0)]],
    known=True,
    partial=False,
)
def test_each_item_is_new_known_or_a_conflict_whatever_comes_with_it(
    db: Connection, batches: list[list[Sent]], known: bool, partial: bool
) -> None:
    tried: list[Sent] = []
    # By what names a sample: which item it came from, and its value.
    stored: dict[tuple[str, str, int], tuple[int, int]] = {}
    conflicts: Counter[Sent] = Counter()
    with db.transaction(force_rollback=True):
        if known:
            ingest_metrics(
                db, [made(name, s, 9, 0) for name in ("cpu", "latency") for s in ("web", "db")]
            )
        for batch in batches:
            expected = {"accepted": 0, "duplicate": 0, "conflict": 0}
            for sent in batch:
                *_, value = sent
                first = stored.setdefault(sent[:3], (len(tried), value))
                new = first[0] == len(tried)
                outcome = "accepted" if new else "duplicate" if first[1] == value else "conflict"
                expected[outcome] += 1
                tried.append(sent)
                if outcome == "conflict":
                    conflicts[sent] += 1
            # A bad one leaves the others as they are.
            bad: list[Item] = [{}] if partial else []
            answer = ingest_metrics(db, [*bad, *(made(*each) for each in batch)], partial=partial)
            assert {name: answer[name] for name in expected} == expected
        attempts = db.execute("select item, attempts from data.conflict").fetchall()
    assert sorted((as_text(item), count) for item, count in attempts) == sorted(
        (as_text(made(*sent)), count) for sent, count in conflicts.items()
    )


def as_text(item: Item) -> str:
    return json.dumps(item, sort_keys=True)


@pytest.mark.native_only("many sessions at once")
def test_a_conflict_sent_by_all_at_once_is_kept_once(fresh_database: str) -> None:
    items = [metric(source=f"s{n}", ts=ago(hours=1)) for n in range(50)]
    with psycopg.connect(fresh_database, autocommit=True) as conn:
        ingest_metrics(conn, items)

    def send(conn: Connection, number: int) -> Json:
        others = [{**item, "value": 2} for item in items]
        # In another order for every second session.
        return ingest_metrics(conn, others[:: 1 if number % 2 else -1])

    answers = at_once(fresh_database, send)

    assert answers == [receipt(0, conflict=50)] * SESSIONS
    with psycopg.connect(fresh_database) as conn:
        rows = conn.execute("select attempts from data.conflict").fetchall()
        assert rows == [(SESSIONS,)] * 50


def test_a_digest_is_the_same_in_every_release(db: Connection) -> None:
    # Digests of conflicts are stored.
    digest = "select internal.item_digest(%s, '2025-06-15T11:00:00Z')"
    assert ask(db, digest, '{"name": "cpu", "value": 2, "ts": 1749985200}') == -5737561194817591914
