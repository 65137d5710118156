"""The job that rolls up what is above the watermark of the rollups."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import psycopg
import pytest
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.jobs.conftest import RunJob
from tests.sql.calls import ask, ingest_metrics, metric, query_agg
from tests.support.waiting import eventually

MINUTE = timedelta(minutes=1)
RANGE = "select begins, ends, announced from data.recent_range"
CONFIG = {"end_offset": "2 minutes", "min_samples": 1, "samples_per_row": 0}
REFRESH = "call internal.refresh_recent(0, %s)"


@pytest.fixture
def rolled_up(fresh_database: str, clock: datetime) -> str:
    """DSN of a database with a sample a minute, and with rollups."""
    with psycopg.connect(fresh_database, autocommit=True) as conn:
        items = [metric(ts=(clock - n * MINUTE).isoformat()) for n in range(240)]
        ingest_metrics(conn, items, now=clock)
        conn.execute('call internal.refresh_rollups(0, \'{"end_offset": "20 minutes"}\')')
        conn.execute("delete from data.late_hour")
    return fresh_database


def test_it_reads_up_to_two_minutes_ago(rolled_up: str, clock: datetime) -> None:
    with psycopg.connect(rolled_up, autocommit=True) as conn:
        before = query_agg(conn, now=clock)
        conn.execute(REFRESH, [Jsonb(CONFIG)])

        begins, ends, announced = conn.execute(RANGE).fetchone() or ()
        assert begins == ask(conn, "select internal.watermark('kind_1h')")
        assert ends == announced
        assert clock - 2 * MINUTE <= ends <= ask(conn, "select now()") - 2 * MINUTE
        assert ask(conn, "select sum(observations) from data.recent_hour") > 0
        after = query_agg(conn, now=clock)
        assert after == before


def test_before_the_rollups_are_made_it_does_nothing(lasting: Connection, run_job: RunJob) -> None:
    run_job("refresh_recent", None)
    assert ask(lasting, "select announced::text from data.recent_range") == "-infinity"


@pytest.mark.parametrize("setting", CONFIG)
def test_without_a_setting_in_its_config_it_fails(lasting: Connection, setting: str) -> None:
    announced = "select announced::text from data.recent_range"
    before = ask(lasting, announced)
    lacking = {name: value for name, value in CONFIG.items() if name != setting}
    with pytest.raises(psycopg.errors.NullValueNotAllowed, match=f"config .* lacks .*{setting}"):
        lasting.execute(REFRESH, [Jsonb(lacking)])
    assert ask(lasting, announced) == before


@pytest.mark.native_only("many sessions at once")
def test_it_waits_for_an_ingest_that_began_before_it(rolled_up: str, clock: datetime) -> None:
    with (
        psycopg.connect(rolled_up, autocommit=True) as conn,
        psycopg.connect(rolled_up) as slow,
        psycopg.connect(rolled_up, autocommit=True) as refreshing,
        ThreadPoolExecutor(1) as pool,
    ):
        before = query_agg(conn, now=clock)["count"]
        ingest_metrics(slow, metric(ts=(clock - 5.5 * MINUTE).isoformat()), now=clock)
        running = pool.submit(refreshing.execute, REFRESH, [Jsonb(CONFIG)])
        eventually(lambda: ask(conn, "select announced > '-infinity' from data.recent_range"))

        # Others go on, and note what is older than it reads.
        ingest_metrics(conn, metric(ts=(clock - 6.5 * MINUTE).isoformat()), now=clock)
        assert not running.done()
        slow.commit()
        running.result(9)
        assert ask(conn, "select ends > '-infinity' from data.recent_range")
        assert query_agg(conn, now=clock)["count"] == before + 2


@pytest.mark.native_only("many sessions at once")
def test_it_gives_way_to_a_transaction_that_takes_long(rolled_up: str, clock: datetime) -> None:
    with (
        psycopg.connect(rolled_up, autocommit=True) as conn,
        psycopg.connect(rolled_up) as slow,
    ):
        before = query_agg(conn, now=clock)["count"]
        ingest_metrics(slow, metric(ts=(clock - 5.5 * MINUTE).isoformat()), now=clock)
        conn.execute(REFRESH, [Jsonb(CONFIG)])
        assert ask(conn, "select ends::text from data.recent_range") == "-infinity"
        slow.commit()
        conn.execute(REFRESH, [Jsonb(CONFIG)])
        assert ask(conn, "select ends > '-infinity' from data.recent_range")
        assert query_agg(conn, now=clock)["count"] == before + 1


@pytest.mark.native_only("many sessions at once")
def test_a_writer_with_an_old_snapshot_is_counted(rolled_up: str, clock: datetime) -> None:
    with (
        psycopg.connect(rolled_up, autocommit=True) as conn,
        psycopg.connect(rolled_up) as old,
    ):
        before = query_agg(conn, now=clock)["count"]
        old.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        old.execute("select count(*) from data.source")
        conn.execute(REFRESH, [Jsonb(CONFIG)])
        ingest_metrics(old, metric(ts=(clock - 5.5 * MINUTE).isoformat()), now=clock)
        old.commit()
        assert query_agg(conn, now=clock)["count"] == before + 1
