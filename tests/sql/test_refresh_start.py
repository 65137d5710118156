"""From which day on a refresh may compute rollups, by the clock of the server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection

from tests.sql.calls import ask, fact, ingest_facts, ingest_metrics, metric

DAY = timedelta(days=1)
START = "select internal.refresh_start()"
KEEP = """
select alter_job(job_id, config => config || jsonb_build_object('drop_after', %s::interval::text))
from ops.policies where relation = %s and policy = 'policy_retention'
"""


@pytest.fixture
def now(db: Connection) -> datetime:
    """The instant by which jobs go in this transaction."""
    instant: datetime = ask(db, "select now()")
    return instant


def day(instant: datetime) -> datetime:
    return instant.replace(hour=0, minute=0, second=0, microsecond=0)


def send(db: Connection, *times: datetime) -> None:
    for ts in times:
        ingest_metrics(db, metric(ts=ts.isoformat()), now=ts)


def chunks(db: Connection, relation: str) -> list[tuple[Any, ...]]:
    return db.execute(
        "select range_start, range_end from internal.list_chunks(%s) order by 1", [relation]
    ).fetchall()


def test_without_samples_there_is_none(db: Connection) -> None:
    ingest_facts(db, fact())
    db.execute("truncate data.sample")
    assert ask(db, START) is None


def test_it_is_the_day_from_which_samples_are_kept(db: Connection, now: datetime) -> None:
    send(db, now - 10 * DAY)
    assert ask(db, START) == day(now - 90 * DAY)


def test_it_is_the_day_of_the_oldest_samples_where_these_are_older_and_stay(
    db: Connection, now: datetime
) -> None:
    send(db, now - 10 * DAY, now - 140 * DAY)
    start, end = chunks(db, "sample")[0]
    db.execute(KEEP, [now - end + timedelta(microseconds=1), "data.sample"])
    assert ask(db, START) == day(start)


@pytest.mark.parametrize("relation", ["sample", "sample_1h"])
def test_it_is_the_day_after_the_newest_chunk_that_retention_may_drop(
    db: Connection, now: datetime, relation: str
) -> None:
    send(db, *(now - n * DAY for n in (10, 55, 45, 65)))
    # Of what is made of nothing that a refresh reads, more may be dropped.
    ingest_facts(db, fact(ts=(now - 5 * DAY).isoformat()), now=now)
    db.execute(KEEP, [timedelta(), "data.fact"])
    hypertable = ask(db, "select internal.hypertable(%s)", relation)
    if relation != "sample":
        db.execute(
            f"insert into {hypertable} (kind_id, bucket) select 1, now() - n * interval '1 day'"
            " from unnest(array[55, 45, 65, 10]) as n".encode()
        )
    ends = [end for _, end in chunks(db, relation) if end < now - 41 * DAY]
    db.execute(KEEP, [now - max(ends), f"data.{relation}"])
    assert ask(db, START) == max(ends) > day(now - 90 * DAY)


KEPT_FROM = "select internal.samples_kept_from()"


def test_where_days_have_facts_of_their_own_samples_are_kept_from_their_end(db: Connection) -> None:
    end = datetime(2025, 6, 1, tzinfo=UTC)
    db.execute("update data.complete_since set since = %s where relation = 'sample'", [end])
    assert ask(db, KEPT_FROM) == end


@pytest.mark.parametrize("weeks", [0, 2, 3])
def test_samples_are_kept_from_the_chunk_after_the_newest_hour_that_has_none(
    db: Connection, now: datetime, weeks: int
) -> None:
    send(db, now - 10 * DAY)
    oldest = ask(db, "select internal.oldest_chunk('sample')")
    end = ask(db, "select %s - %s * internal.chunk_interval('sample')", oldest, weeks)
    hypertable = ask(db, "select internal.hypertable('sample_1h')")
    db.execute(
        f"insert into {hypertable} (kind_id, bucket) values (1, %s), (1, %s)".encode(),
        [end - timedelta(hours=5), end - 90 * DAY],
    )
    assert ask(db, KEPT_FROM) == end


def test_the_oldest_chunk_is_the_first_one_that_no_pin_keeps(db: Connection, now: datetime) -> None:
    oldest = "select internal.oldest_chunk('sample')"
    assert ask(db, "select isfinite(internal.oldest_chunk('sample'))") is False

    send(db, *(now - days * DAY for days in (30, 150, 90)))
    ordered = [start for start, _ in chunks(db, "sample")]
    assert ask(db, oldest) == ordered[0]
    first = "select chunk from internal.list_chunks('sample') order by range_start limit 1"
    db.execute(f"select compress_chunk(chunk) from ({first}) as listed".encode())
    assert ask(db, oldest) == ordered[0]
    db.execute(
        f"select _timescaledb_functions.freeze_chunk(chunk) from ({first}) as listed".encode()
    )
    assert ask(db, oldest) == ordered[1]
