"""The jobs that roll samples up, keep them, and drop them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from tests.jobs.conftest import RunJob
from tests.sql.calls import ask, ingest_metrics, metric, query_agg
from tests.support.rollups import ROLLUPS, roll_up
from tests.support.waiting import eventually

REFRESH = "refresh_rollups"
CONVERTED = """
select count(distinct view_name)
from timescaledb_information.chunks
inner join timescaledb_information.continuous_aggregates
    on chunks.hypertable_name = materialization_hypertable_name
where is_compressed and view_name = any(%s)
"""


def rounded(answer: Any) -> Any:
    """An answer without the last digits of its numbers."""
    if isinstance(answer, dict):
        return {name: rounded(each) for name, each in answer.items()}
    if isinstance(answer, list):
        return [rounded(each) for each in answer]
    # What is relative, such as a change, may be all rounding.
    return round(float(f"{answer:.12g}"), 14) if isinstance(answer, float) else answer


@pytest.fixture(autouse=True)
def nothing_there(lasting: Connection) -> None:
    """Nothing that the tests before left, so that nothing is late."""
    for relation in ("sample", *ROLLUPS):
        lasting.execute(f"truncate data.{relation}".encode())
    lasting.execute("delete from data.late_hour")


def fill(conn: Connection, kind: str, clock: datetime, days: int, *, every: int = 6) -> None:
    """Send a sample every so many hours."""
    items = [
        metric(kind, value=n, ts=(clock - timedelta(hours=n, minutes=1)).isoformat())
        for n in range(0, 24 * days, every)
    ]
    ingest_metrics(conn, items, now=clock)


def test_refresh_policies_change_no_answer(
    lasting: Connection, clock: datetime, run_job: RunJob
) -> None:
    fill(lasting, "policies", clock, 62)
    before = query_agg(lasting, "policies", "30d", group_by="source", now=clock)

    run_job(REFRESH, None)
    after = query_agg(lasting, "policies", "30d", group_by="source", now=clock)
    assert ask(lasting, "select count(*) from data.kind_1d") > 55
    for key in ("count", "sum", "min", "max", "last"):
        assert after[key] == before[key]
    for key, value in before["previous"].items():
        # Sums of the same numbers in another order.
        close = pytest.approx(value, rel=1e-12) if isinstance(value, float) else value
        assert after["previous"][key] == close
    assert after["freshness"]["watermark"] is not None


def test_policies_roll_up_no_day_that_is_not_over(
    lasting: Connection, clock: datetime, run_job: RunJob
) -> None:
    fill(lasting, "today", clock, 3)
    run_job(REFRESH, None)

    for rollup in ROLLUPS:
        mark = ask(lasting, "select internal.watermark(%s)", rollup)
        assert clock - timedelta(days=2) < mark <= clock - timedelta(minutes=19)


def test_hours_are_rolled_up_to_the_last_one_that_is_over_and_days_though_hours_are_there(
    lasting: Connection, clock: datetime, run_job: RunJob
) -> None:
    hour = (clock - timedelta(minutes=20)).replace(minute=0, second=0, microsecond=0)
    times = [hour - timedelta(minutes=30), hour - timedelta(days=1, minutes=30)]
    items = [metric("hours", value=n, ts=ts.isoformat()) for n, ts in enumerate(times)]
    ingest_metrics(lasting, items, now=clock)
    run_job(REFRESH, None)
    for rollup in ("sample_1h", "kind_1h"):
        assert ask(lasting, "select internal.watermark(%s)", rollup) == hour

    lasting.execute("truncate data.sample_1d, data.kind_1d")
    lasting.execute(
        "update _timescaledb_catalog.continuous_aggs_watermark"
        " set watermark = _timescaledb_functions.to_unix_microseconds(%s)"
        " where mat_hypertable_id in (select mat_hypertable_id"
        " from _timescaledb_catalog.continuous_agg where user_view_name like '%%1d')",
        [hour - timedelta(days=9)],
    )
    run_job(REFRESH, None)
    days = [row[0] for row in lasting.execute("select bucket from data.kind_1d order by 1")]
    midnights = [ts.replace(hour=0, minute=0) for ts in reversed(times)]
    assert days == [day for day in midnights if day + timedelta(days=1) <= hour]


def test_a_refresh_makes_no_new_bucket_that_ends_after_what_is_finished(
    lasting: Connection, clock: datetime
) -> None:
    fill(lasting, "unfinished", clock, 2)
    finished = clock - timedelta(hours=1)
    lasting.execute(
        "call internal.refresh_range(%s, %s, %s)", [clock - timedelta(days=2), clock, finished]
    )

    for rollup in ROLLUPS:
        assert ask(lasting, "select internal.watermark(%s)", rollup) <= finished


def test_a_refresh_makes_the_buckets_that_its_range_touches(
    lasting: Connection, clock: datetime
) -> None:
    first = clock.replace(minute=0, second=0, microsecond=0) - timedelta(hours=70)
    hours = [first + timedelta(hours=n) for n in range(3)]
    items = [metric("touched", ts=(hour + timedelta(minutes=1)).isoformat()) for hour in hours]
    ingest_metrics(lasting, items, now=clock)

    for end, made in ((hours[1], 1), (hours[1] + timedelta(microseconds=1), 2)):
        lasting.execute("call internal.refresh_range(%s, %s, %s)", [first, end, clock])
        for rollup in ("sample_1h", "kind_1h"):
            buckets = lasting.execute(f"select bucket from data.{rollup} order by 1").fetchall()
            assert [bucket for (bucket,) in buckets] == hours[:made]


def test_an_empty_range_is_not_refreshed(lasting: Connection, clock: datetime) -> None:
    fill(lasting, "empty", clock, 1)
    hour = clock.replace(minute=0, second=0, microsecond=0) - timedelta(hours=6)
    for start in (hour, hour + timedelta(hours=1)):
        lasting.execute("call internal.refresh_buckets('sample_1h', %s, %s)", [start, hour])
    assert ask(lasting, "select count(*) from data.sample_1h") == 0


def test_a_refresh_that_goes_on_leaves_no_gap(lasting: Connection, clock: datetime) -> None:
    fill(lasting, "gap", clock, 6)
    days = [clock - timedelta(days=n) for n in (6, 5, 1, 0)]
    for start, end in (days[:2], days[2:]):
        lasting.execute("call internal.refresh_range(%s, %s, %s)", [start, end, clock])

    hour = clock.replace(minute=0, second=0, microsecond=0)
    for rollup in ("sample_1h", "kind_1h"):
        rolled_up = ask(lasting, f"select sum(observations)::integer from data.{rollup}")
        assert rolled_up == ask(lasting, "select count(*) from data.sample where ts < %s", hour)


def test_refresh_late_leaves_nothing_pending(
    lasting: Connection, clock: datetime, run_job: RunJob
) -> None:
    fill(lasting, "late", clock, 10)
    run_job(REFRESH, None)
    late = [clock - timedelta(days=n, hours=3) for n in range(1, 9)]
    answer = ingest_metrics(
        lasting, [metric("late", value=1000, ts=ts.isoformat()) for ts in late], now=clock
    )
    assert answer["late"] == 8

    run_job("refresh_late", None)
    assert ask(lasting, "select count(*) from data.late_hour") == 0
    for source in (None, "web"):
        answer = query_agg(lasting, "late", "30d", source=source, now=clock)
        assert (answer["count"], answer["max"]) == (48, 1000)


def fill_and_refresh(conn: Connection, clock: datetime, run_job: RunJob) -> None:
    fill(conn, "late", clock, 10)
    # What is below the watermark that others left is late.
    for procedure in (REFRESH, "refresh_late"):
        run_job(procedure, None)


def send_late(conn: Connection, clock: datetime, days: int, noted: tuple[int, int]) -> list[Any]:
    """Send two late samples of a day, noted so many minutes ago; the hours that got them."""
    midnight = clock.replace(hour=0, minute=0, second=0, microsecond=0)
    hours = [midnight - timedelta(days=days) + timedelta(hours=hour) for hour in (9, 13)]
    for hour, minutes in zip(hours, noted, strict=True):
        item = metric("late", value=1000, ts=(hour + timedelta(minutes=1)).isoformat())
        assert ingest_metrics(conn, item, now=clock)["late"] == 1
        conn.execute(
            "update data.late_hour set noted_at = %s where bucket = %s",
            [clock - timedelta(minutes=minutes), hour],
        )
    return hours


def pending(conn: Connection) -> list[datetime]:
    return [bucket for (bucket,) in conn.execute("select bucket from data.late_hour order by 1")]


def refreshed(conn: Connection) -> list[datetime]:
    statement = "select bucket from data.sample_1h where value_max = 1000 order by 1"
    return [bucket for (bucket,) in conn.execute(statement)]


def test_a_day_waits_until_it_gets_no_late_samples_any_more_and_ten_times_as_long_at_most(
    lasting: Connection, clock: datetime, run_job: RunJob
) -> None:
    fill_and_refresh(lasting, clock, run_job)
    # Neighbors, also where days would be taken by two.
    pair = "select time_bucket('48 hours', %s) = time_bucket('48 hours', %s - interval '1 day')"
    first = next(n for n in (2, 3) if ask(lasting, pair, *[clock - timedelta(days=n)] * 2))
    settled = send_late(lasting, clock, first, (61, 62))
    unsettled = send_late(lasting, clock, first + 1, (61, 5))
    overdue = send_late(lasting, clock, 7, (630, 1))

    lasting.execute('call internal.refresh_late(0, \'{"settle": "1 hour"}\')')
    assert (pending(lasting), refreshed(lasting)) == (unsettled, [*overdue, *settled])
    lasting.execute("call internal.refresh_late(0, '{}')")
    assert (pending(lasting), refreshed(lasting)) == ([], [*overdue, *unsettled, *settled])


def test_the_newest_late_samples_are_refreshed_first(
    lasting: Connection, clock: datetime, run_job: RunJob
) -> None:
    fill_and_refresh(lasting, clock, run_job)
    newer = send_late(lasting, clock, 3, (5, 5))
    older = send_late(lasting, clock, 8, (5, 5))

    lasting.execute("set supervisor.turn = '1 microsecond'")
    try:
        run_job("refresh_late", None)
    finally:
        lasting.execute("reset supervisor.turn")
    assert pending(lasting) == [*older, newer[0]]


def test_late_samples_of_the_first_hour_of_the_oldest_chunk_are_refreshed(
    lasting: Connection, clock: datetime, run_job: RunJob
) -> None:
    fill_and_refresh(lasting, clock, run_job)
    first = ask(lasting, "select internal.oldest_chunk('sample')")
    item = metric("late", value=1000, ts=(first + timedelta(minutes=1)).isoformat())
    assert ingest_metrics(lasting, item, now=clock)["late"] == 1
    # Of samples that are gone.
    lasting.execute(
        "insert into data.late_hour (kind_id, bucket, samples, noted_at)"
        " select kind_id, %s, 1, %s from data.late_hour",
        [first - timedelta(hours=1), clock - timedelta(hours=1)],
    )

    lasting.execute("call internal.refresh_late(0, '{}')")
    assert (pending(lasting), refreshed(lasting)) == ([], [first])


def test_refresh_late_with_nothing_late_does_nothing(lasting: Connection, run_job: RunJob) -> None:
    run_job("refresh_late", None)
    run_job("refresh_late", None)

    assert ask(lasting, "select count(*) from data.late_hour") == 0


def test_snapshots_of_all_kinds_are_kept_for_both_windows(
    lasting: Connection, clock: datetime, run_job: RunJob
) -> None:
    fill(lasting, "kept", clock, 2)

    run_job("snapshot_aggregates", None)
    later = clock + timedelta(minutes=1)
    for window in ("7d", "30d"):
        known = query_agg(lasting, "kept", window, as_of=later, now=later)
        assert known["count"] == 8
        assert known["window"] == window


def test_retention_drops_samples_and_no_answer_changes(
    lasting: Connection, clock: datetime, run_job: RunJob
) -> None:
    # As if it were 60 days later: what is 40 days old is 100 days old.
    then = clock - timedelta(days=60)
    fill(lasting, "dropped", then, 88)
    roll_up(lasting, then - timedelta(hours=1))
    run_job("refresh_late", None)
    before = query_agg(lasting, "dropped", "90d", now=then)
    count = ask(lasting, "select count(*) from data.sample")

    run_job("policy_retention", "sample")
    assert 0 < ask(lasting, "select count(*) from data.sample") < count
    run_job(REFRESH, None)
    run_job("refresh_late", None)
    assert query_agg(lasting, "dropped", "90d", now=then)["sum"] == before["sum"]
    assert (
        ask(lasting, "select count(*) from data.sample where ts < %s", clock - timedelta(days=97))
        == 0
    )


def test_columnstore_policy_changes_no_answer(
    lasting: Connection, clock: datetime, run_job: RunJob
) -> None:
    fill(lasting, "columns", clock, 60)
    before = query_agg(lasting, "columns", "30d", group_by="source", now=clock)

    run_job("policy_compression", "sample")
    compressed = ask(
        lasting,
        "select count(*) from timescaledb_information.chunks"
        " where hypertable_name = 'sample' and is_compressed",
    )
    assert compressed > 0
    after = query_agg(lasting, "columns", "30d", group_by="source", now=clock)
    # Sums of the same numbers in another order.
    assert rounded(after) == rounded(before)


def test_hours_in_the_columnstore_take_late_samples(
    lasting: Connection, clock: datetime, run_job: RunJob
) -> None:
    fill(lasting, "converted", clock, 60, every=60)
    run_job(REFRESH, None)
    for relation in ("sample_1h", "kind_1h"):
        run_job("policy_compression", relation)
    assert ask(lasting, CONVERTED, ["sample_1h", "kind_1h"]) == 2
    before = query_agg(lasting, "converted", "30d", now=clock)
    late = [clock - timedelta(days=n, hours=3) for n in (20, 33, 47)]
    ingest_metrics(
        lasting, [metric("converted", value=1000, ts=ts.isoformat()) for ts in late], now=clock
    )

    run_job("refresh_late", None)
    assert ask(lasting, "select count(*) from data.late_hour") == 0
    for source in (None, "web"):
        answer = query_agg(lasting, "converted", "30d", source=source, now=clock)
        assert (answer["count"], answer["max"]) == (before["count"] + 1, 1000)
        assert answer["previous"]["count"] == before["previous"]["count"] + 2


@pytest.mark.native_only("runs the scheduler")
def test_the_scheduler_reports_each_run_as_a_success(fresh_database: str, clock: datetime) -> None:
    with psycopg.connect(fresh_database, autocommit=True) as conn:
        conn.execute("call refresh_continuous_aggregate('data.sample_1h', null, %s)", [clock])
        old = (clock - timedelta(days=2)).isoformat()
        ingest_metrics(conn, metric(ts=old), now=clock)
        assert ask(conn, "select count(*) from data.late_hour") == 1
        conn.execute(
            "select alter_job(job_id, scheduled => true, next_start => now(),"
            ' config => config || \'{"settle": "0"}\') from ops.policies'
            " where policy in ('refresh_late', 'refresh_rollups', 'prune')"
        )
        conn.execute("select _timescaledb_functions.start_background_workers()")

        # Committed work does not show that a run succeeded: PostgreSQL 17.12 marks it as failed.
        runs = (
            "select array_agg(distinct last_run_status), max(total_failures)"
            " from ops.policies inner join timescaledb_information.job_stats using (job_id)"
            " where policy in ('refresh_late', 'refresh_rollups', 'prune')"
            " and total_successes + total_failures > 0"
            " having count(*) = 3"
        )
        ran = eventually(lambda: conn.execute(runs).fetchone(), seconds=90)
        assert ran == (["Success"], 0)
        # A run that another one keeps from its buckets leaves them to the next, a minute later.
        nothing_late = "select count(*) = 0 from data.late_hour"
        assert eventually(lambda: ask(conn, nothing_late), "no late sample", seconds=90)
        assert ask(conn, "select count(*) from data.sample_1d") == 1
