"""Chunks that change while an answer is computed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import psycopg
import pytest
from psycopg import Connection

from tests.sql.calls import Json, ask, fact, ingest_facts, ingest_metrics, metric, query_agg
from tests.support.locks import waiting
from tests.support.rollups import roll_up
from tests.support.waiting import eventually

pytestmark = pytest.mark.native_only("answers that are computed while others commit")

COMPRESS = "select compress_chunk(chunk) from show_chunks(%s) as chunk"
HELD = """
with held as materialized (select %s::timestamptz as now, pg_advisory_xact_lock_shared(1))
select {} from held
"""
MATERIALIZED = """
select format('%%I.%%I', materialization_hypertable_schema, materialization_hypertable_name)
from timescaledb_information.continuous_aggregates
where view_name = %s
"""

AGG = "api.query_agg('cpu', '30d', null, null, null, null, now)"
SERIES = "api.query_metrics('cpu', null, null, now - interval '25 days', now, '1h', null, now)"
FACTS = "api.query_facts('Fact:Deal', null, null, null, null, null, null, now)"
STREAM = "api.stream_facts(null, null, null, null, null, null, now)"
RULES = "array(select internal.measure_conditions('{}', now, null, null))"


@pytest.fixture
def samples(lasting: Connection, now: datetime) -> list[datetime]:
    """The times of samples and facts in the columnstore, and late ones beside it."""
    old = [now - timedelta(days=20, minutes=n) for n in range(20)]
    late = [ts + timedelta(seconds=1) for ts in old[:2]]
    store(lasting, old, now)
    roll_up(lasting, now - timedelta(hours=1))
    compress(lasting)
    store(lasting, late, now)
    return old + late


def store(conn: Connection, times: list[datetime], now: datetime) -> None:
    """A sample and a fact at each of the times."""
    ingest_metrics(conn, [metric(ts=ts.isoformat()) for ts in times], now=now)
    items = [fact(fact_id=ts.isoformat(), value=1, ts=ts.isoformat()) for ts in times]
    ingest_facts(conn, items, now=now)


def compress(conn: Connection, *relations: str) -> None:
    """Do what the columnstore policies do, for all hypertables of items by default."""
    for relation in relations or ("data.sample", "data.fact"):
        conn.execute(COMPRESS, [relation])


def refresh_late(url: str) -> None:
    """Do what the job does."""
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as conn:
        conn.execute("call internal.refresh_late(0, '{}')")


def answer_during(conn: Connection, change: Callable[[], object], call: str, now: datetime) -> Json:
    """The answer of a call whose snapshot is older than the change, and whose plans are newer."""
    with (
        psycopg.connect(conn.info.dsn, autocommit=True, prepare_threshold=None) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        conn.execute("select pg_advisory_lock(1)")
        try:
            answer = pool.submit(ask, other, HELD.format(call), now)
            eventually(lambda: waiting(conn, "advisory"), "the call that waits")
            change()
        finally:
            conn.execute("select pg_advisory_unlock(1)")
        result: Json = answer.result()
        return result


@pytest.mark.parametrize("call", [AGG, SERIES, FACTS, STREAM, RULES])
def test_an_answer_whose_chunks_were_moved_is_refused(
    lasting: Connection, now: datetime, samples: list[datetime], call: str
) -> None:
    with pytest.raises(psycopg.errors.SerializationFailure, match="were moved") as caught:
        answer_during(lasting, lambda: compress(lasting), call, now)
    assert caught.value.diag.message_hint == "Send the request again."
    assert query_agg(lasting, window="30d", now=now)["count"] == len(samples)


@pytest.mark.parametrize(
    "change",
    [
        "select drop_chunks('data.sample', older_than => timestamptz '2200-01-01')",
        "select decompress_chunk(chunk) from show_chunks('data.sample') as chunk",
        "select compress_chunk(chunk, recompress => true) from show_chunks('data.sample') as chunk",
    ],
)
def test_an_answer_is_refused_when_a_chunk_is_dropped_or_written_again(
    lasting: Connection, now: datetime, samples: list[datetime], change: str
) -> None:
    compress(lasting)
    with pytest.raises(psycopg.errors.SerializationFailure, match="were moved"):
        answer_during(lasting, lambda: lasting.execute(change), AGG, now)


def test_what_changes_no_row_of_the_answer_does_not_refuse_it(
    lasting: Connection, now: datetime, samples: list[datetime]
) -> None:
    compress(lasting)
    later = [samples[0] + timedelta(seconds=2), samples[0] - timedelta(days=30)]

    def change() -> None:
        # Late ones beside a chunk in the columnstore, a new chunk, and another hypertable.
        store(lasting, later, now)
        compress(lasting, "data.fact")
        roll_up(lasting, now - timedelta(hours=1))

    assert answer_during(lasting, change, AGG, now)["count"] == len(samples)
    assert query_agg(lasting, window="30d", now=now)["count"] == len(samples) + 1


@pytest.mark.parametrize("rollup", ["sample_1h", "kind_1h"])
def test_a_refresh_misses_no_sample_that_was_moved_while_it_waited(
    lasting: Connection, now: datetime, samples: list[datetime], rollup: str
) -> None:
    hypertable = ask(lasting, MATERIALIZED, rollup)
    with (
        psycopg.connect(lasting.info.dsn) as blocker,
        ThreadPoolExecutor(1) as pool,
    ):
        # The refresh has begun, and plans when it gets the lock.
        blocker.execute(f"lock table {hypertable} in access exclusive mode")
        refresh = pool.submit(refresh_late, lasting.info.dsn)
        eventually(lambda: waiting(blocker, "relation"), "the refresh that waits")
        with psycopg.connect(lasting.info.dsn, autocommit=True) as policy:
            compress(policy)
        blocker.rollback()
        refresh.result()

    assert ask(lasting, "select count(*) from data.late_hour") == 0
    for relation, column in (("sample_1h", "observations"), ("kind_1h", "observations")):
        counted = f"select sum({column}) from data.{relation} where bucket between %s and %s"
        days = (now - timedelta(days=21), now - timedelta(days=19))
        # A sample and a fact at each time.
        assert ask(lasting, counted, *days) == 2 * len(samples)


def test_an_ingest_that_repeats_a_sample_and_a_conversion_do_not_wait_for_each_other(
    lasting: Connection, now: datetime, samples: list[datetime]
) -> None:
    new = samples[0] + timedelta(seconds=2)
    lasting.execute("select decompress_chunk(chunk) from show_chunks('data.sample') as chunk")
    with (
        psycopg.connect(lasting.info.dsn) as ingest,
        psycopg.connect(lasting.info.dsn, autocommit=True) as policy,
        ThreadPoolExecutor(1) as pool,
    ):
        ingest_metrics(ingest, [metric(ts=samples[-1].isoformat())], now=now)
        conversion = pool.submit(compress, policy, "data.sample")
        eventually(lambda: waiting(lasting, "relation"), "the conversion that waits")
        answer = ingest_metrics(ingest, [metric(ts=new.isoformat())], now=now)
        ingest.commit()
        conversion.result()

    assert answer["accepted"] == 1
    assert query_agg(lasting, window="30d", now=now)["count"] == len(samples) + 1
