"""Rollups keep what samples no longer have, whatever the retention of samples was set to."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.jobs.conftest import RunJob
from tests.sql.calls import (
    Json,
    ask,
    fact,
    ingest_facts,
    ingest_metrics,
    metric,
    query_agg,
    refused,
)
from tests.support.rollups import ROLLUPS

CONFIG = '{"end_offset": "1 hour"}'
# Days: a job makes each that has a sample.
DAYS = range(1, 86, 12)
HISTORY = [day - 0.75 for day in DAYS]
OBSERVATIONS = "select coalesce(sum(observations), 0)::integer from data."


@pytest.fixture(autouse=True)
def nothing_there(lasting: Connection) -> None:
    """Drop what the tests before left, and keep samples as a release ships it."""
    empty(lasting)
    keep_samples(lasting, 90)


def empty(conn: Connection) -> None:
    # So are their watermarks.
    for relation in ("sample", *ROLLUPS):
        conn.execute(f"truncate data.{relation}".encode())
    conn.execute("delete from data.late_hour")
    conn.execute("update data.complete_since set since = '-infinity'")


def keep_samples(conn: Connection, days: int) -> None:
    """Set the retention of samples as a database administrator does."""
    conn.execute("select remove_retention_policy('data.sample')")
    conn.execute("select add_retention_policy('data.sample', make_interval(days => %s))", [days])


def send(conn: Connection, clock: datetime, *days: float, kind: str = "old") -> Json:
    items = [metric(kind, ts=(clock - timedelta(days=n)).isoformat()) for n in days]
    return ingest_metrics(conn, items, now=clock)


def refresh(run_job: RunJob) -> None:
    run_job("refresh_rollups", None)
    run_job("refresh_late", None)


def rolled_up(conn: Connection) -> list[int]:
    return [ask(conn, OBSERVATIONS + rollup) for rollup in ROLLUPS]


def test_lower_retention_of_samples_erases_no_rollup(
    lasting: Connection, clock: datetime, run_job: RunJob
) -> None:
    send(lasting, clock, *DAYS)
    refresh(run_job)
    before = rolled_up(lasting)
    assert min(before) >= len(DAYS) - 1

    keep_samples(lasting, 30)
    run_job("policy_retention", "sample")
    assert ask(lasting, "select count(*) from data.sample") < 5
    refresh(run_job)

    assert rolled_up(lasting) == before


def test_an_item_whose_chunk_was_dropped_is_refused_after_retention_is_raised(
    lasting: Connection, clock: datetime, run_job: RunJob
) -> None:
    send(lasting, clock, *DAYS)
    refresh(run_job)
    keep_samples(lasting, 30)
    run_job("policy_retention", "sample")
    keep_samples(lasting, 90)
    before = rolled_up(lasting)

    with refused(lasting, "items_refused") as refusal:
        send(lasting, clock, 60.5)
    assert "ts_within_retention" in str(refusal.params)
    assert send(lasting, clock, 20.5)["accepted"] == 1
    refresh(run_job)

    assert rolled_up(lasting) == [n + 1 for n in before]


def test_an_item_where_nothing_was_rolled_up_is_accepted_beside_dropped_samples(
    lasting: Connection, clock: datetime, run_job: RunJob
) -> None:
    send(lasting, clock, *range(70, 86, 5))
    send(lasting, clock, 2)
    refresh(run_job)
    keep_samples(lasting, 50)
    run_job("policy_retention", "sample")
    keep_samples(lasting, 90)
    before = rolled_up(lasting)

    # Samples of a time without rollups are older than the only chunk that is left.
    assert send(lasting, clock, 40)["accepted"] == 1
    refresh(run_job)

    assert rolled_up(lasting) == [n + 1 for n in before]


def test_no_item_is_accepted_where_all_samples_were_dropped(
    lasting: Connection, clock: datetime, run_job: RunJob
) -> None:
    send(lasting, clock, *range(40, 60))
    refresh(run_job)
    before = rolled_up(lasting)
    lasting.execute("select drop_chunks('data.sample', %s)", [clock])

    with refused(lasting, "items_refused"):
        send(lasting, clock, 45.5)
    assert send(lasting, clock, 2)["accepted"] == 1
    refresh(run_job)

    assert rolled_up(lasting) == [n + 1 for n in before]


def test_a_refresh_after_all_samples_were_dropped_erases_nothing(
    lasting: Connection, clock: datetime, run_job: RunJob
) -> None:
    send(lasting, clock, *range(40, 60))
    refresh(run_job)
    before = rolled_up(lasting)
    lasting.execute("select drop_chunks('data.sample', %s)", [clock])

    lasting.execute(
        "call internal.refresh_range(%s, %s, %s)", [clock - timedelta(days=80), clock, clock]
    )

    assert rolled_up(lasting) == before


def test_history_is_accepted_after_younger_samples_were_rolled_up(
    lasting: Connection, clock: datetime, run_job: RunJob
) -> None:
    send(lasting, clock, 2)
    refresh(run_job)

    assert send(lasting, clock, *range(3, 63, 5))["accepted"] == 12
    refresh(run_job)

    assert rolled_up(lasting) == [13] * 4


def test_history_comes_with_no_sample_of_today(lasting: Connection, clock: datetime) -> None:
    assert send(lasting, clock, *range(30, 90, 5))["accepted"] == 12
    lasting.execute("call internal.refresh_rollups(0, %s)", [CONFIG])

    assert rolled_up(lasting) == [12] * 4


def test_samples_without_a_retention_policy_are_rolled_up(
    lasting: Connection, clock: datetime
) -> None:
    # Hours are to be kept as long as samples.
    kept = {"sample": "90 days", "fact": "5 years", "sample_1h": "400 days", "kind_1h": "400 days"}
    for relation in kept:
        lasting.execute("select remove_retention_policy(%s)", [f"data.{relation}"])
    try:
        # Older than what is kept where there are policies.
        assert send(lasting, clock, 2, 100, 410)["accepted"] == 3
        lasting.execute("call internal.refresh_rollups(0, %s)", [CONFIG])

        assert rolled_up(lasting) == [3] * 4
    finally:
        for relation, age in kept.items():
            add = "select add_retention_policy(%s, %s::interval)"
            lasting.execute(add, [f"data.{relation}", age])


@pytest.mark.parametrize("relation", ["sample_1h", "kind_1h"])
def test_hours_that_were_dropped_are_read_from_their_samples(
    lasting: Connection, clock: datetime, run_job: RunJob, relation: str
) -> None:
    kind = f"kept_{relation}"
    send(lasting, clock, *HISTORY, kind=kind)
    refresh(run_job)
    before = query_agg(lasting, kind, "80d", group_by="source", now=clock)

    drop = f"select drop_chunks('data.{relation}', %s)"
    lasting.execute(drop.encode(), [clock + timedelta(days=100)])

    after = query_agg(lasting, kind, "80d", group_by="source", now=clock)
    assert (after["count"], after["groups"][0]["count"]) == (before["count"], before["count"])


def test_where_hours_are_gone_too_the_window_before_starts_on_a_day(
    lasting: Connection, clock: datetime, run_job: RunJob
) -> None:
    # Four a day, so that every day has one at whatever hour the test runs.
    send(lasting, clock, *(n / 4 for n in range(1, 64)), kind="days")
    refresh(run_job)
    for relation in ("sample", "sample_1h", "kind_1h"):
        drop = f"select drop_chunks('data.{relation}', %s)"
        lasting.execute(drop.encode(), [clock + timedelta(days=100)])

    start = datetime.fromisoformat(query_agg(lasting, "days", "7d", now=clock)["previous"]["from"])
    assert (start.hour, start.minute, start.second) == (0, 0, 0)


def test_a_late_sample_is_counted_where_its_hour_may_not_be_refreshed(
    lasting: Connection, clock: datetime, run_job: RunJob
) -> None:
    send(lasting, clock, *HISTORY, kind="expired")
    refresh(run_job)
    before = query_agg(lasting, "expired", "80d", now=clock)["count"]
    lasting.execute("select remove_retention_policy('data.kind_1h')")
    lasting.execute("select add_retention_policy('data.kind_1h', interval '10 days')")
    try:
        send(lasting, clock, 79.9, kind="expired")
        run_job("refresh_late", None)

        assert query_agg(lasting, "expired", "80d", now=clock)["count"] == before + 1
    finally:
        lasting.execute("select remove_retention_policy('data.kind_1h')")
        lasting.execute("select add_retention_policy('data.kind_1h', interval '400 days')")


@pytest.mark.native_only("the embedded server runs one job at a time")
def test_refreshes_at_once_wait_for_each_other(fresh_database: str, clock: datetime) -> None:
    def refresh(_: int) -> None:
        with psycopg.connect(fresh_database, autocommit=True) as conn:
            for _ in range(5):
                conn.execute("call internal.refresh_rollups(0, %s)", [CONFIG])

    with psycopg.connect(fresh_database, autocommit=True) as conn:
        send(conn, clock, *range(1, 80))
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(refresh, range(4)))

        assert rolled_up(conn) == [79] * 4


def test_sessions_that_count_old_facts_at_once_share_a_row(
    lasting: Connection, clock: datetime
) -> None:
    old = (clock - timedelta(days=200)).isoformat()
    kind = "Fact:Shared"

    def work(number: int) -> None:
        dsn = lasting.info.dsn
        with psycopg.connect(dsn, autocommit=True, prepare_threshold=None) as conn:
            for n in range(4):
                ingest_facts(conn, fact(kind, fact_id=f"{number}/{n}", ts=old), now=clock)
                if number == 0:
                    conn.execute("call internal.refresh_rollups(0, %s)", [CONFIG])

    send(lasting, clock, 3, 30)
    ingest_facts(lasting, fact(kind, ts=old), now=clock)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))

    for rollup in ("sample_1d", "kind_1d"):
        counted = ask(
            lasting,
            f"select json_agg(observations) from data.{rollup} inner join data.kind"
            " using (kind_id) where name = %s",
            kind,
        )
        assert counted == [17]


kinds = (f"kind_{n}" for n in itertools.count())
days = st.floats(0.1, 89, allow_nan=False)
steps = st.one_of(
    st.tuples(st.just("send"), days),
    st.tuples(st.just("roll"), st.just(0.0)),
    st.tuples(st.just("drop"), st.floats(1, 89, allow_nan=False)),
)


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(history=st.lists(steps, min_size=4, max_size=12))
def test_what_was_accepted_is_counted_whenever_samples_are_dropped(
    lasting: Connection, clock: datetime, run_job: RunJob, history: list[tuple[str, float]]
) -> None:
    empty(lasting)
    kind = next(kinds)
    send(lasting, clock, 0.01, kind=kind)
    accepted = 1
    for number, (step, age) in enumerate(history):
        if step == "send":
            ts = clock - timedelta(days=age, microseconds=number)
            item = metric(kind, ts=ts.isoformat())
            accepted += ingest_metrics(lasting, item, partial=True, now=clock)["accepted"]
        else:
            refresh(run_job)
        if step == "drop":
            lasting.execute("select drop_chunks('data.sample', %s)", [clock - timedelta(days=age)])

        assert query_agg(lasting, kind, "90d", now=clock)["count"] == accepted


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    history=st.lists(
        st.one_of(steps, st.tuples(st.just("send"), st.floats(85, 400, allow_nan=False))),
        min_size=4,
        max_size=12,
    )
)
def test_every_fact_is_counted_once_in_a_day_whenever_samples_are_dropped(
    lasting: Connection, clock: datetime, run_job: RunJob, history: list[tuple[str, float]]
) -> None:
    empty(lasting)
    kind = f"Fact:{next(kinds)}"
    ingest_facts(lasting, fact(kind, ts=clock.isoformat()), now=clock)
    sent = 1
    for number, (step, age) in enumerate(history):
        if step == "send":
            ts = clock - timedelta(days=age, microseconds=number)
            item = fact(kind, value=age, ts=ts.isoformat())
            assert ingest_facts(lasting, [item, item], now=clock)["accepted"] == 1
            sent += 1
        else:
            refresh(run_job)
        if step == "drop":
            lasting.execute("select drop_chunks('data.sample', %s)", [clock - timedelta(days=age)])

        chart = ask(
            lasting,
            "select api.query_metrics(%s, null, null, %s, %s, '1d', null, %s)",
            kind,
            clock - timedelta(days=402),
            clock + timedelta(minutes=1),
            clock,
        )
        assert sum(point[1] for point in chart["series"][0]["points"]) == sent


def set_retention(conn: Connection, **retention: str) -> None:
    for relation, keep in retention.items():
        conn.execute("select ops.set_retention(%s, %s::interval)", [f"data.{relation}", keep])


def test_days_keep_the_history_of_metrics_that_was_imported_under_a_longer_retention(
    lasting: Connection, clock: datetime, run_job: RunJob
) -> None:
    days, hours = ("sample_1d", "kind_1d"), ("sample_1h", "kind_1h")
    set_retention(lasting, **dict.fromkeys(days, "12 years"))
    set_retention(lasting, **dict.fromkeys(hours, "11 years"), sample="11 years")
    send(lasting, clock, 3, 100, 1000, 3000)
    refresh(run_job)
    set_retention(lasting, sample="90 days", **dict.fromkeys(hours, "400 days"))
    for relation in ("sample", *hours):
        run_job("policy_retention", relation)
    refresh(run_job)

    assert ask(lasting, "select count(*) from data.sample") == 1
    assert rolled_up(lasting) == [2, 2, 4, 4]
    set_retention(lasting, **dict.fromkeys(days, "1830 days"))


def test_a_refresh_erases_no_day_of_facts_that_have_no_samples(
    lasting: Connection, clock: datetime, run_job: RunJob
) -> None:
    facts = [fact("Fact:Old", ts=(clock - timedelta(days=n)).isoformat()) for n in (3, 97, 400)]
    ingest_facts(lasting, facts, now=clock)
    counted = (
        "select sum(observations)::integer from data.sample_1d inner join data.kind using (kind_id)"
        " where name = 'Fact:Old'"
    )
    assert ask(lasting, counted) == 2

    refresh(run_job)

    assert ask(lasting, counted) == 3
    # Nor one that got more of them after its refresh.
    ingest_facts(lasting, fact("Fact:Old", value=1, ts=facts[1]["ts"]), now=clock)
    send(lasting, clock, 89)
    refresh(run_job)
    assert ask(lasting, counted) == 4
