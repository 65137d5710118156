"""What a batch of old and new samples costs: the days that got some, not the time between them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from psycopg import Connection

from tests.sql.calls import Item, ask, ingest_metrics, metric, query_agg
from tests.support.rollups import ROLLUPS, roll_up

DAYS = 27
TABLES = """
select
    view_name,
    format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name)
from timescaledb_information.continuous_aggregates
where view_schema = 'data'
"""
INVALID = """
select count(*)
from _timescaledb_catalog.continuous_aggs_materialization_invalidation_log
"""


@pytest.fixture
def rolled_up(lasting: Connection, now: datetime) -> datetime:
    """Now; every hour of 27 days before it has a sample and is rolled up."""
    ingest_metrics(lasting, [hours_ago(now, n) for n in range(1, 24 * DAYS)], now=now)
    roll_up(lasting, now - timedelta(hours=1))
    lasting.execute("truncate data.late_hour")
    return now


def hours_ago(now: datetime, hours: float, value: float = 1) -> Item:
    return metric(value=value, ts=(now - timedelta(hours=hours)).isoformat())


def refresh(conn: Connection) -> dict[str, int]:
    """Run both jobs; how many buckets of each rollup they have written."""
    first = ask(conn, "select pg_current_xact_id()::text::bigint")
    conn.execute("call internal.refresh_late(0, '{}')")
    conn.execute('call internal.refresh_rollups(0, \'{"end_offset": "20 minutes"}\')')
    return {
        rollup: ask(conn, f"select count(*) from {table} where xmin::text::bigint >= %s", first)
        for rollup, table in conn.execute(TABLES).fetchall()
    }


def test_a_batch_of_old_and_new_samples_refreshes_the_days_that_got_some(
    lasting: Connection, rolled_up: datetime
) -> None:
    refresh(lasting)
    batch = [hours_ago(rolled_up, 24 * days + 0.5, 5) for days in (1, 13, 26)]
    ingest_metrics(lasting, batch, now=rolled_up)

    written = refresh(lasting)
    assert set(written) == set(ROLLUPS)
    # At most the hours of the three days; all 27 days have 648.
    assert all(count <= 3 * 24 for count in written.values()), written
    assert all(count >= 3 for count in written.values()), written
    assert query_agg(lasting, window="30d", now=rolled_up)["sum"] == 24 * DAYS - 1 + 15


def test_batches_do_not_add_up_to_more_work(lasting: Connection, rolled_up: datetime) -> None:
    refresh(lasting)
    for number in range(3):
        batch = [hours_ago(rolled_up, hours + 0.1 + number / 60) for hours in (26, 600)]
        ingest_metrics(lasting, batch, now=rolled_up)
        written = refresh(lasting)
        assert all(count <= 2 * 24 for count in written.values()), written
    known = ask(lasting, INVALID)
    for number in range(3):
        batch = [hours_ago(rolled_up, hours + 0.2 + number / 60) for hours in (26, 600)]
        ingest_metrics(lasting, batch, now=rolled_up)
        refresh(lasting)
    assert ask(lasting, INVALID) <= known


@pytest.mark.parametrize(
    ("change", "total"),
    [("delete from data.sample", -1), ("update data.sample set value = 5", 4)],
)
@pytest.mark.parametrize("place", ["rows", "columnstore"])
def test_a_sample_that_somebody_changes_is_rolled_up_again(
    lasting: Connection, rolled_up: datetime, change: str, total: int, place: str
) -> None:
    if place == "columnstore":
        lasting.execute("select compress_chunk(chunk) from show_chunks('data.sample') as chunk")
    before = query_agg(lasting, window="30d", now=rolled_up)["sum"]
    where = " where ts = %s and kind_id = (select kind_id from data.kind where name = 'cpu')"
    lasting.execute((change + where).encode(), [rolled_up - timedelta(hours=200)])

    # At once, read from samples; then from what the job has made of them.
    for pending in (1, 0):
        assert ask(lasting, "select count(*) from data.late_hour") == pending
        assert query_agg(lasting, window="30d", now=rolled_up)["sum"] == before + total
        lasting.execute("call internal.refresh_late(0, '{}')")
    reason = "select reason, late_samples from analytics.restatements order by restated_at desc"
    assert lasting.execute(reason).fetchone() == ("changed_samples", 0)


def test_the_hours_of_a_change_are_noted_where_they_may_be_rolled_up(db: Connection) -> None:
    moment, minute = timedelta(microseconds=1), timedelta(minutes=1)
    begin: datetime = ask(db, "select internal.late_before(now())")
    times = [begin, begin - moment, begin - timedelta(hours=3)]
    ingest_metrics(db, [metric(ts=ts.isoformat()) for ts in times], now=begin + 20 * minute)
    noted = "select bucket, samples from data.late_hour order by 1"

    db.execute("delete from data.late_hour")
    db.execute("update data.sample set value = 5 where ts = any(%s)", [times[:2]])
    assert db.execute(noted).fetchall() == [(begin - timedelta(hours=1), 0)]

    # Both of one that moves.
    db.execute("delete from data.late_hour")
    db.execute("update data.sample set ts = %s where ts = %s", [begin - 61 * minute, times[2]])
    hours = [begin - timedelta(hours=n) for n in (3, 2)]
    assert db.execute(noted).fetchall() == [(hour, 0) for hour in hours]
