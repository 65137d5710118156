"""Snapshots: what was known when."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import NOW, Json, ago, ask, ingest_metrics, metric, query_agg, refused

MINUTE = timedelta(minutes=1)
LATER = NOW + timedelta(days=1)


def record(db: Connection, answer: Json) -> int:
    stored: int = ask(db, "select api.record_agg(%s)", json.dumps(answer))
    return stored


def snapshot(
    db: Connection, kind: str | None = "cpu", window: str = "7d", now: datetime = NOW
) -> Json:
    answer = query_agg(db, kind, window, now=now)
    record(db, answer)
    return answer


def computed_at(db: Connection) -> list[datetime]:
    return [row[0] for row in db.execute("select computed_at from data.aggregate order by minute")]


def test_a_snapshot_is_the_answer(db: Connection) -> None:
    ingest_metrics(db, [metric(ts=ago(minutes=1)), metric("b")])

    assert snapshot(db) == query_agg(db, as_of=NOW)
    assert snapshot(db, None) == query_agg(db, None, as_of=NOW)


def test_as_of_answers_what_was_known_then(db: Connection) -> None:
    ingest_metrics(db, metric(ts=ago(minutes=1)))
    first = snapshot(db)
    ingest_metrics(db, metric(value=9, ts=ago(minutes=2)))
    second = snapshot(db, now=NOW + timedelta(hours=1))

    assert query_agg(db, as_of=NOW) == first
    assert query_agg(db, as_of=NOW + timedelta(minutes=59), now=LATER) == first
    assert query_agg(db, as_of=NOW + timedelta(hours=1), now=LATER) == second
    assert (first["count"], second["count"]) == (1, 2)


def test_as_of_without_a_kind_lists_the_kinds_known_then(db: Connection) -> None:
    ingest_metrics(db, [metric("b"), metric("a")])
    snapshot(db, None)
    ingest_metrics(db, metric("c"))
    snapshot(db, None, now=NOW + timedelta(hours=1))

    then = query_agg(db, None, as_of=NOW)
    assert [kind["kind"] for kind in then["kinds"]] == ["a", "b"]


def test_an_answer_that_has_not_changed_is_not_stored_again(db: Connection) -> None:
    ingest_metrics(db, metric(ts=ago(minutes=1)))
    first = snapshot(db)
    later = query_agg(db, now=NOW + timedelta(hours=3, minutes=20))

    assert later["rate_per_second"] != first["rate_per_second"]
    assert record(db, later) == 0
    assert query_agg(db, as_of=NOW + timedelta(hours=4), now=LATER) == first


def test_an_answer_that_changed_back_is_stored_again(db: Connection) -> None:
    ingest_metrics(db, metric(ts=ago(minutes=59)))
    snapshot(db, window="1h")
    gone = snapshot(db, window="1h", now=NOW + 5 * MINUTE)
    ingest_metrics(db, metric(ts=ago(minutes=-9)), now=NOW + 10 * MINUTE)
    back = snapshot(db, window="1h", now=NOW + 10 * MINUTE)

    assert (gone["count"], back["count"]) == (0, 1)
    assert computed_at(db) == [NOW, NOW + 5 * MINUTE, NOW + 10 * MINUTE]


def test_a_minute_of_changes_keeps_the_first_and_the_last_answer(db: Connection) -> None:
    answers = []
    for second in range(3):
        ingest_metrics(db, metric(ts=ago(minutes=1 + second)))
        answers.append(snapshot(db, now=NOW + timedelta(seconds=second)))

    assert computed_at(db) == [NOW, NOW + timedelta(seconds=2)]
    assert query_agg(db, as_of=NOW) == answers[0]
    assert query_agg(db, as_of=NOW + MINUTE) == answers[2]


def test_of_answers_of_one_instant_the_first_and_the_last_are_kept(db: Connection) -> None:
    now = NOW.replace(second=0, microsecond=0)
    answers = []
    for number in range(3):
        ingest_metrics(db, metric(ts=ago(minutes=2 + number)))
        answers.append(snapshot(db, now=now))
    # The newest one has the statistics that are there already.
    assert record(db, answers[-1]) == 0

    assert computed_at(db) == [now, now]
    assert query_agg(db, as_of=now, now=LATER) == answers[-1]
    stored = db.execute("select answer -> 'count' from data.aggregate order by minute").fetchall()
    assert stored == [(1,), (3,)]


def test_each_kind_and_window_is_compared_with_its_own_snapshots(db: Connection) -> None:
    ingest_metrics(db, [metric("a", ts=ago(minutes=1)), metric("b", ts=ago(minutes=1))])
    for window in ("7d", "30d"):
        snapshot(db, None, window)
    ingest_metrics(db, metric("a", ts=ago(minutes=2)))

    later = NOW + timedelta(hours=1)
    assert record(db, query_agg(db, None, "7d", now=later)) == 1
    assert record(db, query_agg(db, None, "30d", now=later)) == 1
    assert record(db, query_agg(db, "b", "30d", now=later)) == 0
    for window in ("7d", "30d"):
        counts = [
            kind["count"] for kind in query_agg(db, None, window, as_of=later, now=LATER)["kinds"]
        ]
        assert counts == [2, 1]
        before = query_agg(db, None, window, as_of=NOW, now=LATER)
        assert [kind["count"] for kind in before["kinds"]] == [1, 1]


def test_changes_all_the_time_are_stored_once_a_minute(db: Connection) -> None:
    for number in range(30):
        ingest_metrics(db, metric(ts=ago(minutes=1 + number)))
        snapshot(db, now=NOW + number * timedelta(seconds=10))

    # One in each of the six minutes, and the first one.
    assert len(computed_at(db)) == 7


def test_an_answer_that_arrives_late_does_not_replace_a_newer_one(db: Connection) -> None:
    ingest_metrics(db, metric(ts=ago(minutes=1)))
    old = query_agg(db)
    ingest_metrics(db, metric(ts=ago(minutes=2)))
    newer = snapshot(db, now=NOW + timedelta(seconds=1))

    assert record(db, old) == 0
    assert query_agg(db, as_of=NOW + MINUTE) == newer


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        st.tuples(st.integers(1, 90), st.booleans(), st.booleans()), min_size=1, max_size=12
    )
)
def test_as_of_has_the_statistics_of_the_last_answer_to_the_minute(
    db: Connection, steps: list[tuple[int, bool, bool]]
) -> None:
    with db.transaction(force_rollback=True):
        now = NOW
        ingest_metrics(db, metric(ts=ago(hours=1)))
        known: list[tuple[datetime, int]] = []
        for number, (seconds, changes, asks) in enumerate(steps):
            now += timedelta(seconds=seconds)
            if changes:
                ingest_metrics(db, metric(ts=ago(minutes=number + 2)), now=now)
            if asks:
                known.append((now, snapshot(db, now=now)["count"]))
        counts = {at.replace(second=0, microsecond=0): count for at, count in known}
        for minute, count in counts.items():
            end = minute + timedelta(seconds=59, microseconds=999999)
            assert query_agg(db, as_of=end, now=LATER)["count"] == count
        stored = [
            row[0]
            for row in db.execute("select answer -> 'count' from data.aggregate order by minute")
        ]
        assert stored == sorted(set(stored))


def test_windows_have_snapshots_of_their_own(db: Connection) -> None:
    ingest_metrics(db, metric())
    snapshot(db)

    with refused(db, "aggregate_unknown"):
        query_agg(db, window="30d", as_of=NOW)
    with refused(db, "aggregate_unknown"):
        query_agg(db, as_of=NOW - timedelta(seconds=1))
    with refused(db, "window_well_formed"):
        query_agg(db, window="7", as_of=NOW)


def test_as_of_in_the_future_is_refused(db: Connection) -> None:
    ingest_metrics(db, metric())
    known = snapshot(db)

    with refused(db, "as_of_not_in_future") as refusal:
        query_agg(db, as_of=NOW + 5 * MINUTE + timedelta(seconds=1))
    assert refusal.message == "as_of (2025-06-15T12:39:57.789+00:00) is in the future"
    assert "leave it out" in refusal.hint
    assert query_agg(db, as_of=NOW + 5 * MINUTE) == known


def test_as_of_takes_no_filter(db: Connection) -> None:
    ingest_metrics(db, metric())
    snapshot(db)

    with refused(db, "as_of_unfiltered"):
        query_agg(db, source="web", as_of=NOW)
    with refused(db, "as_of_unfiltered"):
        query_agg(db, group_by="source", as_of=NOW)


def test_a_question_is_answered_in_a_read_only_transaction(db: Connection) -> None:
    ingest_metrics(db, metric())
    snapshot(db)

    db.execute("set transaction_read_only = on")
    assert query_agg(db)["count"] == 1
    assert query_agg(db, None)["kinds"][0]["count"] == 1
    assert query_agg(db, as_of=NOW)["count"] == 1


def test_analysts_see_snapshots_in_a_view(db: Connection) -> None:
    ingest_metrics(db, [metric(value=3), metric(value=5, source="db")])
    snapshot(db)

    row = db.execute(
        "select kind, window_name, computed_at, count, sum, avg, min, max from analytics.aggregates"
    ).fetchone()
    assert row == ("cpu", "7d", NOW, 2, 8, 4, 3, 5)
