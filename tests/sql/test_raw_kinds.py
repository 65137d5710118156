"""Samples of a kind that no rollup has: read for a batch of rows at once, from few chunks."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from psycopg import Connection

from tests.sql.calls import ask, fact, histogram, ingest_facts, ingest_metrics, metric
from tests.support.tenants import within

WEEKS = 5
READ = "select * from internal.raw_kinds(%s, %s, %s, null, true)"


def plan(conn: Connection, start: datetime, end: datetime) -> str:
    """The plan that is kept for any range, and what it does in this one."""
    kind = ask(conn, "select kind_id from data.kind")
    conn.execute("set local plan_cache_mode = 'force_generic_plan'")
    conn.execute(
        b"prepare reading(timestamptz, timestamptz) as"
        b" select * from internal.raw_kinds('{%d}', $1, $2, false, false)" % kind
    )
    lines = conn.execute(
        b"explain (analyze, costs off, timing off, summary off)"
        b" execute reading('%b', '%b')" % (start.isoformat().encode(), end.isoformat().encode())
    )
    found = "\n".join(line for (line,) in lines)
    conn.execute("deallocate reading")
    return found


def send_weeks(conn: Connection, now: datetime) -> None:
    """Send a sample a minute for three hours of each week, and convert the chunks."""
    instants = [
        now - timedelta(weeks=week, minutes=minute)
        for week in range(WEEKS)
        for minute in range(180)
    ]
    items = [metric(value=n % 7, ts=ts.isoformat()) for n, ts in enumerate(instants)]
    ingest_metrics(conn, items, now=now)
    conn.execute("select compress_chunk(chunk) from show_chunks('data.sample') as chunk")
    conn.execute("analyze data.sample")


@pytest.mark.native_only("the embedded TimescaleDB is older, and computes expressions row by row")
def test_converted_samples_are_read_batch_by_batch(lasting: Connection, now: datetime) -> None:
    send_weeks(lasting, now)
    with lasting.transaction(force_rollback=True):
        end = now - timedelta(weeks=2)
        assert "VectorAgg" in plan(lasting, end - timedelta(hours=1), end)


def test_chunks_outside_of_the_range_are_not_read(lasting: Connection, now: datetime) -> None:
    send_weeks(lasting, now)
    with lasting.transaction(force_rollback=True):
        end = now - timedelta(weeks=2)
        found = plan(lasting, end - timedelta(hours=1), end)
    # The three hours of a week may be in two chunks.
    (excluded, *_) = re.findall(r"Chunks excluded during startup: (\d+)", found)
    assert int(excluded) >= WEEKS - 2


def test_a_fact_without_a_value_is_observed_and_has_no_statistics(
    db: Connection, now: datetime
) -> None:
    ingest_facts(db, [fact(ts=now.isoformat())], now=now)
    (kind,) = db.execute("select kind_id from data.kind where type = 'fact'").fetchone() or ()
    rows = db.execute(READ, [[kind], now, now + timedelta(seconds=1)])
    (row,) = rows.fetchall()
    assert row[3:9] == (1, 0, None, None, None, None)


def test_zero_is_a_value_and_a_fact_without_one_is_not(db: Connection, now: datetime) -> None:
    facts = [fact(fact_id="none", ts=now.isoformat())]
    facts += [
        fact(fact_id=f"{value}", value=value, ts=(now - timedelta(minutes=1)).isoformat())
        for value in (0, -3)
    ]
    ingest_facts(db, facts, now=now)
    kind = ask(db, "select kind_id from data.kind where type = 'fact'")
    rows = db.execute(READ, [[kind], now - timedelta(hours=1), now + timedelta(seconds=1)])
    (row,) = rows.fetchall()
    assert row[3:12] == (3, 2, -3, 4.5, -3, 0, 0, now - timedelta(minutes=1), now)


@pytest.mark.parametrize(
    ("histograms", "found"), [(None, {"cpu", "latency"}), (True, {"latency"}), (False, {"cpu"})]
)
def test_histograms_and_other_kinds_are_read_alone(
    db: Connection, now: datetime, histograms: bool | None, found: set[str]
) -> None:
    ingest_metrics(
        db,
        [metric(ts=now.isoformat()), histogram([1.0], [1, 0], 1, ts=now.isoformat())],
        now=now,
    )
    rows = db.execute(
        "select kind.name from internal.raw_kinds("
        "array(select kind_id from data.kind), %s, %s, %s, false) as bucket"
        " inner join data.kind using (kind_id)",
        [now, now + timedelta(seconds=1), histograms],
    )
    assert {name for (name,) in rows} == found


def test_histograms_are_read_whatever_the_namespace_of_the_session(
    db: Connection, now: datetime
) -> None:
    with within(db, "acme"):
        ingest_metrics(db, histogram([1.0], [3, 0], 1, ts=now.isoformat()), now=now)
    found = ask(
        db,
        "select observations from internal.raw_part("
        "array(select kind_id from data.every_kind), '{}', null, %s, %s, null, null)",
        now,
        now + timedelta(seconds=1),
    )
    assert found == 3
