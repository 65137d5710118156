"""Which hours a refresh notes before it begins, and what becomes of them when it ends."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from psycopg import Connection
from psycopg.types.json import Jsonb
from psycopg.types.range import TimestamptzRange

from tests.sql.calls import NOW, Json, ask, ingest_metrics, metric

START = datetime(2025, 3, 1, tzinfo=NOW.tzinfo)
NOTHING = {"count": 0, "sum": None, "min": None, "max": None}
SOMETHING = {"count": 1, "sum": 2, "min": 2, "max": 2}


@pytest.fixture
def db(db: Connection) -> Connection:
    """The database with three kinds, of which nothing is rolled up."""
    ingest_metrics(db, [metric(), metric("mem"), metric("disk")])
    db.execute("delete from data.late_hour")
    return db


def at(hours: float) -> datetime:
    """That many hours after START."""
    return START + timedelta(hours=hours)


def late(conn: Connection, kind: str, hour: int, *, noted: int = 0, samples: int = 1) -> int:
    """The number of an entry about late samples of an hour."""
    number: int = ask(
        conn,
        "insert into data.late_hour (kind_id, bucket, noted_at, samples)"
        " select kind_id, %s, %s, %s from data.kind where name = %s returning late_hour_id",
        at(hour),
        at(100 + noted),
        samples,
        kind,
    )
    return number


def restated(
    conn: Connection, kind: str, begin: int, end: int, before: Json, *, done: bool = False
) -> None:
    """Hours that are being rolled up again, or were."""
    conn.execute(
        "insert into data.aggregate_restatement"
        " (kind_id, during, noted_at, before, restated_at, late_samples, after)"
        " select kind_id, %s, %s, %s, %s, %s, %s from data.kind where name = %s",
        [
            TimestamptzRange(at(begin), at(end)),
            at(50),
            Jsonb(before),
            at(60) if done else None,
            1 if done else None,
            Jsonb(NOTHING) if done else None,
            kind,
        ],
    )


def hours(instant: datetime) -> float:
    return (instant - START) / timedelta(hours=1)


def test_hours_whose_refresh_has_not_begun_are_noted_by_kind(db: Connection) -> None:
    restated(db, "cpu", 1, 2, SOMETHING)
    restated(db, "mem", 3, 4, SOMETHING)
    restated(db, "mem", 0, 1, SOMETHING, done=True)
    numbers = [
        late(db, "disk", 7, noted=4),
        late(db, "cpu", 3, noted=3),
        late(db, "cpu", 1, noted=1),
        late(db, "cpu", 0, noted=2),
        late(db, "mem", 0, noted=5),
    ]
    late(db, "cpu", 5)
    before = ask(db, "select max(restatement_id) from data.aggregate_restatement")

    db.execute("select internal.begin_restatements(%s)", [numbers])

    rows = db.execute(
        "select name, lower(during), upper(during), noted_at, before"
        " from data.aggregate_restatement join data.kind using (kind_id)"
        " where restatement_id > %s order by restatement_id",
        [before],
    ).fetchall()
    found = [(name, *map(hours, instants), shown) for name, *instants, shown in rows]
    assert sorted(found, key=lambda row: row[0]) == [
        ("cpu", 0, 1, 101, NOTHING),
        ("cpu", 3, 4, 101, NOTHING),
        ("disk", 7, 8, 104, NOTHING),
        ("mem", 0, 1, 105, NOTHING),
    ]


def test_hours_that_moved_are_restated_and_the_others_forgotten(db: Connection) -> None:
    restated(db, "cpu", 0, 2, SOMETHING)
    restated(db, "cpu", 5, 6, SOMETHING)
    restated(db, "cpu", 0, 2, SOMETHING, done=True)
    restated(db, "mem", 0, 1, SOMETHING)
    restated(db, "mem", 1, 2, NOTHING)
    restated(db, "disk", 0, 1, NOTHING)
    numbers = [
        late(db, "cpu", 0, samples=2),
        late(db, "cpu", 1, samples=3),
        late(db, "mem", 0, samples=7),
        late(db, "disk", 0),
    ]
    kept = late(db, "cpu", 5)

    db.execute("select internal.end_restatements(%s, %s)", [numbers, at(200)])

    rows = db.execute(
        "select name, lower(during), late_samples, restated_at, after"
        " from data.aggregate_restatement join data.kind using (kind_id) order by restatement_id"
    ).fetchall()
    assert rows == [
        ("cpu", at(0), 5, at(200), NOTHING),
        ("cpu", at(5), None, None, None),
        ("cpu", at(0), 1, at(60), NOTHING),
        ("mem", at(0), 7, at(200), NOTHING),
        ("mem", at(1), None, None, None),
    ]
    assert db.execute("select late_hour_id from data.late_hour").fetchall() == [(kept,)]
