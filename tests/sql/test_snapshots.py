"""Snapshots: what was known when."""

from __future__ import annotations

from datetime import timedelta

from psycopg import Connection

from tests.sql.calls import NOW, Json, ago, ask, ingest_metrics, metric, query_agg, refused


def snapshot(db: Connection, kind: str | None = "cpu", window: str = "7d", hours: int = 0) -> Json:
    at = NOW + timedelta(hours=hours)
    answer: Json = ask(db, "select api.snapshot_agg(%s, %s, %s)", kind, window, at)
    return answer


def test_a_snapshot_is_the_answer(db: Connection) -> None:
    ingest_metrics(db, [metric(ts=ago(minutes=1)), metric("b")])

    assert snapshot(db) == query_agg(db)
    assert snapshot(db, None) == query_agg(db, None)


def test_as_of_answers_what_was_known_then(db: Connection) -> None:
    ingest_metrics(db, metric(ts=ago(minutes=1)))
    first = snapshot(db)
    ingest_metrics(db, metric(value=9, ts=ago(minutes=2)))
    second = snapshot(db, hours=1)

    assert query_agg(db, as_of=NOW) == first
    assert query_agg(db, as_of=NOW + timedelta(minutes=59)) == first
    assert query_agg(db, as_of=NOW + timedelta(hours=1)) == second
    assert (first["count"], second["count"]) == (1, 2)


def test_as_of_without_a_kind_lists_the_kinds_known_then(db: Connection) -> None:
    ingest_metrics(db, [metric("b"), metric("a")])
    snapshot(db, None)
    ingest_metrics(db, metric("c"))
    snapshot(db, None, hours=1)

    then = query_agg(db, None, as_of=NOW)
    assert [kind["kind"] for kind in then["kinds"]] == ["a", "b"]


def test_windows_have_snapshots_of_their_own(db: Connection) -> None:
    ingest_metrics(db, metric())
    snapshot(db)

    with refused(db, "aggregate_unknown"):
        query_agg(db, window="30d", as_of=NOW)
    with refused(db, "aggregate_unknown"):
        query_agg(db, as_of=NOW - timedelta(seconds=1))
    with refused(db, "window_well_formed"):
        query_agg(db, window="7", as_of=NOW)


def test_as_of_takes_no_filter(db: Connection) -> None:
    ingest_metrics(db, metric())
    snapshot(db)

    with refused(db, "as_of_unfiltered"):
        query_agg(db, source="web", as_of=NOW)
    with refused(db, "as_of_unfiltered"):
        query_agg(db, group_by="source", as_of=NOW)


def test_analysts_see_snapshots_in_a_view(db: Connection) -> None:
    ingest_metrics(db, [metric(value=3), metric(value=5, source="db")])
    snapshot(db)

    row = db.execute(
        'select kind, "window", computed_at, count, sum, avg, min, max from analytics.aggregates'
    ).fetchone()
    assert row == ("cpu", "7d", NOW, 2, 8, 4, 3, 5)
