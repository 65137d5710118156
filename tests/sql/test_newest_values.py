"""The newest value of a window whose newest sample no rollup has."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from psycopg import Connection

from tests.sql.calls import (
    NOW,
    ago,
    ask,
    fact,
    ingest_facts,
    ingest_metrics,
    metric,
    query_agg,
)


def begin_of_the_window_before(db: Connection) -> datetime:
    ingest_metrics(db, metric("other", ts=ago(minutes=1)))
    return datetime.fromisoformat(query_agg(db, "other", "7d")["previous"]["from"])


@pytest.mark.parametrize("fields", [None, ["last", "previous"]])
def test_the_newest_value_of_the_window_before_may_be_in_its_first_hour(
    db: Connection, fields: list[str] | None
) -> None:
    begins = begin_of_the_window_before(db)
    ingest_metrics(
        db,
        [
            metric(value=value, ts=(begins + timedelta(minutes=minute)).isoformat())
            for minute, value in enumerate([8, 9, 7])
        ],
    )

    answer = query_agg(db, "cpu", "7d", fields=fields)
    assert (answer["last"], answer["previous"]["last"]) == (None, 7)


def test_each_window_and_kind_has_its_own_newest_value(db: Connection) -> None:
    begins = begin_of_the_window_before(db)
    for n, kind in enumerate(["cpu", "memory", "disk"]):
        ingest_metrics(
            db,
            [
                metric(kind, value=10 * n + 1, ts=begins.isoformat()),
                metric(kind, value=10 * n + 2, ts=ago(minutes=1 + n)),
            ],
        )

    answers = {each["kind"]: each for each in query_agg(db, None)["kinds"]}
    assert {
        kind: (answers[kind]["last"], answers[kind]["previous"]["last"])
        for kind in ("cpu", "memory", "disk")
    } == {"cpu": (2, 1), "memory": (12, 11), "disk": (22, 21)}


def test_of_several_values_at_one_time_the_greatest_is_the_newest(db: Connection) -> None:
    at = NOW - timedelta(minutes=3)
    values = [4, 11, 6]
    ingest_facts(db, [fact(fact_id=f"{n}", value=n, ts=at.isoformat()) for n in values], now=NOW)
    (kind,) = db.execute("select kind_id from data.kind where type = 'fact'").fetchone() or ()

    found = ask(
        db,
        "select internal.newest_values(array[%s, %s], array[%s, %s])",
        kind,
        kind,
        at - timedelta(minutes=1),
        at,
    )
    assert found == [None, 11]
