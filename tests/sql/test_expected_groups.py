"""The groups of a condition that are expected to have data."""

from __future__ import annotations

from datetime import timedelta

from psycopg import Connection

from tests.sql.calls import NOW, ago, ask, fact, ingest_facts, ingest_metrics, metric

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


def test_groups_are_expected_for_seven_days_after_their_data(db: Connection) -> None:
    ages = {"a": 7 * DAY, "b": 7 * DAY - SECOND, "c": 10 * DAY, "d": -SECOND, "e": 0 * SECOND}
    for source, age in ages.items():
        at = (NOW - age).isoformat()
        ingest_metrics(db, metric(source=source, ts=at), now=NOW + SECOND)
        ingest_facts(db, fact(source=source, ts=at), now=NOW + SECOND)
    ingest_metrics(db, metric("memory", "other", ts=ago(minutes=1)))

    for kind in ("cpu", "Fact:Deal"):
        rows = db.execute(
            """
            select expected.at, expected.label
            from data.kind
            cross join lateral internal.expected_groups(
                kind.kind_id, null, 'source', %s, %s, '1 s'
            ) as expected
            where kind.name = %s
            order by 1, 2
            """,
            [NOW, NOW + SECOND, kind],
        ).fetchall()
        later = NOW + SECOND
        assert rows == [(NOW, "b"), (NOW, "e"), (later, "d"), (later, "e")]


def test_series_without_a_label_are_expected_as_a_group_of_their_own(db: Connection) -> None:
    ingest_metrics(db, [metric(labels={"zone": "x"}, ts=ago(hours=1)), metric(ts=ago(hours=1))])
    kind = ask(db, "select kind_id from data.kind where name = 'cpu'")

    rows = db.execute(
        "select label from internal.expected_groups(%s, null, 'label.zone', %s, %s, '1 s')",
        [kind, NOW, NOW],
    ).fetchall()

    assert sorted(rows) == [("",), ("x",)]


def test_a_group_is_expected_after_the_first_fact_that_was_ever_stored(db: Connection) -> None:
    ingest_facts(db, fact(value=3, ts=ago(hours=1)))
    db.execute("update data.sample set seq = 1")
    kind = ask(db, "select kind_id from data.kind")

    expected = "select label from internal.expected_groups(%s, null, 'source', %s, %s, '1 s')"
    assert db.execute(expected, [kind, NOW, NOW]).fetchall() == [("crm",)]
    last = "select value_last from internal.raw_rollup(%s, %s, %s, null, null)"
    assert db.execute(last, [[kind], NOW - DAY, NOW]).fetchall() == [(3,)]
