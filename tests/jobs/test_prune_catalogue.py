"""The job that deletes series, kinds and sources without data."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import psycopg
import pytest
from psycopg import Connection

from tests.jobs.conftest import RunJob
from tests.sql.calls import (
    Item,
    ask,
    fact,
    ingest_facts,
    ingest_metrics,
    metric,
    query_agg,
    receipt,
)
from tests.support.locks import waiting
from tests.support.rollups import roll_up
from tests.support.waiting import eventually

JOB = "prune_catalogue"
REGISTER = "select internal.register_series(%s::jsonb, %s)"


@pytest.fixture
def conn(lasting: Connection) -> Connection:
    """A connection to a database that holds nothing."""
    lasting.execute("truncate data.sample, data.fact, data.fact_identity, data.late_hour")
    lasting.execute("delete from data.series")
    lasting.execute("delete from data.kind")
    lasting.execute("delete from data.source")
    return lasting


def register(conn: Connection, at: datetime, *series: Item) -> None:
    """Register series without storing anything for them."""
    rows = [
        {"labels": {}, "type": "gauge", **{key: item[key] for key in item if key != "value"}}
        for item in series
    ]
    conn.execute(REGISTER, [json.dumps(rows), at])


def names(conn: Connection, relation: str) -> set[str]:
    return {name for (name,) in conn.execute(f"select name from data.{relation}".encode())}


def series(conn: Connection) -> int:
    count: int = ask(conn, "select count(*) from data.series")
    return count


def test_series_without_data_are_deleted_with_their_kind_and_source(
    conn: Connection, clock: datetime, run_job: RunJob
) -> None:
    register(conn, clock - timedelta(hours=25), metric("old"), metric("old", labels={"a": "b"}))

    run_job(JOB, None)
    assert (series(conn), names(conn, "kind"), names(conn, "source")) == (0, set(), set())


def test_young_series_are_kept(conn: Connection, clock: datetime, run_job: RunJob) -> None:
    register(conn, clock - timedelta(hours=23), metric("young"))

    run_job(JOB, None)
    assert (series(conn), names(conn, "kind"), names(conn, "source")) == (1, {"young"}, {"web"})


def store_sample(conn: Connection, then: datetime) -> None:
    ingest_metrics(conn, metric("kept"), now=then)


def store_sample_of_fact(conn: Connection, then: datetime) -> None:
    ingest_facts(conn, fact("Fact:Kept", "web"), now=then)


def store_fact(conn: Connection, then: datetime) -> None:
    store_sample_of_fact(conn, then)
    conn.execute("truncate data.sample")


def rolled_up(*rollups: str) -> Callable[[Connection, datetime], None]:
    def store(conn: Connection, then: datetime) -> None:
        ingest_metrics(conn, metric("kept"), now=then)
        roll_up(conn, then + timedelta(days=2), *rollups)
        # As retention does it: a refresh has not seen it.
        conn.execute("delete from data.sample")

    return store


@pytest.mark.parametrize(
    "store",
    [
        store_sample,
        store_sample_of_fact,
        store_fact,
        rolled_up("sample_1h"),
        rolled_up("sample_1h", "sample_1d"),
    ],
    ids=["sample", "sample of a fact", "fact", "hour", "day"],
)
def test_a_series_with_a_row_anywhere_is_kept(
    conn: Connection,
    clock: datetime,
    run_job: RunJob,
    store: Callable[[Connection, datetime], None],
) -> None:
    then = clock - timedelta(days=10)
    store(conn, then)
    register(conn, then, metric("empty", "gone"))

    run_job(JOB, None)
    assert series(conn) == 1
    assert names(conn, "kind") < {"kept", "Fact:Kept"}
    assert names(conn, "source") == {"web"}


def test_kinds_and_sources_with_their_own_data_are_kept_without_series(
    conn: Connection, clock: datetime, run_job: RunJob
) -> None:
    then = clock - timedelta(days=12)
    rolled_up("sample_1h", "kind_1h", "kind_1d")(conn, then)
    conn.execute("select drop_chunks('data.sample_1h', now() + interval '100 days')")
    ingest_facts(conn, fact("Fact:Gone", source="crm"), now=then)
    conn.execute("truncate data.sample, data.fact, data.late_hour")

    run_job(JOB, None)
    assert series(conn) == 0
    assert (names(conn, "kind"), names(conn, "source")) == ({"kept"}, {"crm"})


def test_kinds_and_sources_are_kept_by_several_rows_as_by_one(
    conn: Connection, clock: datetime, run_job: RunJob
) -> None:
    register(
        conn,
        clock - timedelta(days=12),
        *(metric(name, "gone") for name in ("of_days", "of_late", "empty")),
        *(metric("of_series", "of_series", labels={"n": n}) for n in ("1", "2")),
        metric("empty", "of_facts"),
    )
    sent = [metric("of_series", "of_series", labels={"n": n}) for n in ("1", "2")]
    ingest_metrics(conn, sent, now=clock)
    days = ask(conn, "select internal.hypertable('kind_1d')")
    for statement in (
        f"insert into {days} (kind_id, bucket) select kind_id, now() - n * interval '1 day'"
        " from data.kind, generate_series(1, 2) as n where name = 'of_days'",
        "insert into data.late_hour (kind_id, bucket, samples) select kind_id, now(), n"
        " from data.kind, generate_series(1, 2) as n where name = 'of_late'",
        "insert into data.fact_identity (source_id, fact_id, digest, ts, series_id)"
        " select source_id, n::text, 0, now(), 0"
        " from data.source, generate_series(1, 2) as n where name = 'of_facts'",
    ):
        conn.execute(statement.encode())

    run_job(JOB, None)
    assert names(conn, "kind") == {"of_days", "of_series", "of_late"}
    assert names(conn, "source") == {"of_facts", "of_series"}


def test_kinds_and_sources_of_other_series_are_kept(
    conn: Connection, clock: datetime, run_job: RunJob
) -> None:
    then = clock - timedelta(days=2)
    ingest_metrics(conn, [metric("a", "s1"), metric("b", "s2")], now=then)
    register(conn, then, metric("a", "s2"), metric("c", "s1"))

    run_job(JOB, None)
    assert (names(conn, "kind"), names(conn, "source")) == ({"a", "b"}, {"s1", "s2"})
    assert series(conn) == 2


def test_many_series_are_deleted_in_portions(
    conn: Connection, clock: datetime, run_job: RunJob
) -> None:
    then = clock - timedelta(days=2)
    register(conn, then, *[metric("many", labels={"n": str(n)}) for n in range(1500)])
    ingest_metrics(conn, metric("many", labels={"n": "1200"}), now=then)

    run_job(JOB, None)
    assert series(conn) == 1


def test_quotas_are_counted_again(conn: Connection, clock: datetime, run_job: RunJob) -> None:
    register(conn, clock - timedelta(days=2), metric("empty", "gone"))
    ingest_metrics(conn, [metric("a"), metric("a", labels={"b": "c"})], now=clock)
    conn.execute("update data.quota set used = 77 where used is not null")

    run_job(JOB, None)
    used = conn.execute("select name, used from data.quota where used is not null").fetchall()
    assert dict(used) == {"kinds": 1, "sources": 1, "series": 2}


def test_a_deleted_series_is_registered_again_when_it_sends(
    conn: Connection, clock: datetime, run_job: RunJob
) -> None:
    register(conn, clock - timedelta(days=2), metric("again"))
    run_job(JOB, None)

    assert ingest_metrics(conn, metric("again", value=7), now=clock) == receipt(1)
    assert query_agg(conn, "again", now=clock)["sum"] == 7


@pytest.mark.native_only("many sessions at once")
def test_a_series_that_gets_its_first_sample_meanwhile_is_kept(
    conn: Connection, clock: datetime, run_job: RunJob
) -> None:
    register(conn, clock - timedelta(days=2), metric("used"))

    with (
        psycopg.connect(conn.info.dsn) as ingesting,
        psycopg.connect(conn.info.dsn, autocommit=True) as watching,
        ThreadPoolExecutor(1) as pool,
    ):
        ingest_metrics(ingesting, metric("used", value=7), now=clock)
        job = pool.submit(run_job, JOB, None)
        eventually(lambda: waiting(watching, "relation"))
        ingesting.commit()
        job.result()
    assert series(conn) == 1
    assert query_agg(conn, "used", now=clock)["sum"] == 7


@pytest.mark.native_only("many sessions at once")
def test_an_ingest_that_waits_for_the_job_registers_its_series_again(
    conn: Connection, clock: datetime
) -> None:
    register(conn, clock - timedelta(days=2), metric("raced"))

    with (
        psycopg.connect(conn.info.dsn, autocommit=True) as ingesting,
        psycopg.connect(conn.info.dsn) as pruning,
        psycopg.connect(conn.info.dsn, autocommit=True) as watching,
        ThreadPoolExecutor(1) as pool,
    ):
        # Made before, so that the plan is there already when it waits.
        ingest_metrics(ingesting, [], now=clock)
        pruning.execute("select internal.wait_for_ingests()")
        job = pool.submit(ingest_metrics, ingesting, metric("raced", value=7), now=clock)
        eventually(lambda: waiting(watching, "relation"))
        pruning.execute("delete from data.series")
        pruning.commit()
        assert job.result() == receipt(1)
    assert series(conn) == 1
    assert query_agg(conn, "raced", now=clock)["sum"] == 7


def test_the_job_has_its_config(db: Connection) -> None:
    config = ask(
        db, "select config from timescaledb_information.jobs where proc_name = 'prune_catalogue'"
    )
    assert config == {"grace": "1 day"}
