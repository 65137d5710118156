"""The list of hours that were rolled up again: order, pages, filters."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from psycopg import Connection
from psycopg.types.range import TimestamptzRange

from tests.sql.calls import NOW, Json, ask, ingest_metrics, metric, refused

START = datetime(2025, 3, 1, tzinfo=NOW.tzinfo)


@pytest.fixture
def db(db: Connection) -> Connection:
    """The database with two kinds, cpu and mem."""
    ingest_metrics(db, [metric(), metric("mem")])
    return db


def at(hours: float) -> datetime:
    """That many hours after START."""
    return START + timedelta(hours=hours)


def restated(
    conn: Connection,
    begin: float,
    end: float,
    kind: str = "cpu",
    *,
    late: int = 1,
    times: int = 1,
    done: bool = True,
) -> None:
    """Hours that were rolled up again, or that wait for it."""
    for _ in range(times):
        conn.execute(
            "insert into data.aggregate_restatement"
            " (kind_id, during, noted_at, restated_at, late_samples, before, after)"
            " select kind_id, %s, %s, %s, %s, '{}', %s from data.kind where name = %s",
            [
                TimestamptzRange(at(begin), at(end)),
                NOW,
                NOW if done else None,
                late if done else None,
                "{}" if done else None,
                kind,
            ],
        )


def page(
    conn: Connection,
    kind: str | None = None,
    begin: float | None = None,
    end: float | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Json:
    answer: Json = ask(
        conn,
        "select api.list_restatements(%s, %s, %s, %s, %s)",
        kind,
        None if begin is None else at(begin),
        None if end is None else at(end),
        limit,
        cursor,
    )
    return answer


def hours(answer: Json) -> list[float]:
    """The first hour of each item, after START."""
    begins = [datetime.fromisoformat(item["from"]) for item in answer["items"]]
    return [(begin - START) / timedelta(hours=1) for begin in begins]


def test_pages_begin_with_what_was_restated_last(db: Connection) -> None:
    for begin in (3, 1, 4, 2):
        restated(db, begin, begin + 1)

    first = page(db, limit=2)
    second = page(db, limit=2, cursor=first["next_cursor"])
    assert (hours(first), hours(second)) == ([2, 4], [1, 3])
    assert second["next_cursor"] is None


def test_a_page_has_100_items_by_default_and_1000_at_most(db: Connection) -> None:
    restated(db, 0, 1, times=101)

    answer = page(db)
    assert len(answer["items"]) == 100
    assert hours(page(db, cursor=answer["next_cursor"])) == [0]
    with refused(db, "limit_in_range"):
        page(db, limit=1001)


def test_filters_hold_together_and_what_waits_is_not_listed(db: Connection) -> None:
    for kind in ("cpu", "mem"):
        for begin in (0, 2, 4):
            restated(db, begin, begin + 2, kind)
            restated(db, begin, begin + 2, kind, done=False)

    assert hours(page(db)) == [4, 2, 0] * 2
    assert hours(page(db, "cpu")) == [4, 2, 0]
    assert hours(page(db, "mem", 2)) == [4, 2]
    assert hours(page(db, "mem", None, 2)) == [0]
    first = page(db, "mem", 2, 4.5, limit=1)
    assert (hours(first), first["items"][0]["kind"]) == ([4], "mem")
    rest = page(db, "mem", 2, 4.5, cursor=first["next_cursor"])
    assert (hours(rest), rest["next_cursor"]) == ([2], None)


def test_hours_without_late_samples_were_changed_by_hand(db: Connection) -> None:
    for late in (0, 1, 2):
        restated(db, late, late + 1, late=late)

    assert [(item["late_samples"], item["reason"]) for item in page(db)["items"]] == [
        (2, "late_samples"),
        (1, "late_samples"),
        (0, "changed_samples"),
    ]
    reasons = db.execute(
        "select late_samples, reason from analytics.restatements order by late_samples"
    ).fetchall()
    assert reasons == [(0, "changed_samples"), (1, "late_samples"), (2, "late_samples")]
