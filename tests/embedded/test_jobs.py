from __future__ import annotations

import asyncio
import json
import select
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from supervisor_mcp import db
from supervisor_mcp.db import Database
from supervisor_mcp.embedded import database
from supervisor_mcp.errors import Problem
from tests.embedded.conftest import connect
from tests.embedded.noted_jobs import OVERDUE, add, create, runs
from tests.embedded.raw import Connection
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def with_jobs(
    template: Path, tmp_path_factory: pytest.TempPathFactory, cache_dir: Path
) -> Iterator[database.Database]:
    directory = tmp_path_factory.mktemp("jobs") / "data"
    database.clone(template, directory)
    with database.start(directory, cache_dir=cache_dir) as server:
        yield server


@pytest.fixture
def client(with_jobs: database.Database) -> Iterator[psycopg.Connection]:
    """A connection to a server that runs its jobs, with a table where jobs write their names."""
    with connect(with_jobs.url) as connection:
        create(connection)
        yield connection
        for statement in (
            "select delete_job(job_id) from timescaledb_information.jobs",
            "drop materialized view if exists h",
            "drop table if exists m",
            "drop table ran",
            "drop procedure note; drop procedure fail",
        ):
            connection.execute(statement)


def test_a_job_added_later_runs_at_its_own_interval(client: psycopg.Connection) -> None:
    add(client, "note", "1 second")
    add(client, "note", "1 hour")
    eventually(lambda: runs(client, "1 second") >= 3 and runs(client, "1 hour") == 1)
    slots = client.execute(
        "select count(*) - count(distinct floor(extract(epoch from at - initial_start))) "
        "from ran cross join timescaledb_information.jobs "
        "where name = '1 second' and schedule_interval = '1 second'"
    ).fetchone()
    assert slots == (0,)
    assert runs(client, "1 hour") == 1


def test_next_start_is_kept_in_timescaledb_and_respected(client: psycopg.Connection) -> None:
    job = add(client, "note", "1 hour", ", initial_start => now() + interval '1 day'")
    add(client, "note", "1 second")
    eventually(lambda: runs(client, "1 second") >= 2)
    assert runs(client, "1 hour") == 0
    client.execute("select alter_job(%s, next_start => now())", (job,))
    eventually(lambda: runs(client, "1 hour") == 1)
    eventually(
        lambda: (
            client.execute(
                "select next_start > now() + interval '30 minutes' "
                "from timescaledb_information.jobs where job_id = %s",
                (job,),
            ).fetchone()
            == (True,)
        )
    )


def test_a_fixed_schedule_keeps_to_its_slots(client: psycopg.Connection) -> None:
    job = add(client, "note", "1 hour", ", initial_start => '2026-01-01 00:20+00'")
    monthly = add(client, "note", "1 month", ", initial_start => '2026-01-05 00:00+00'")
    eventually(lambda: runs(client, "1 hour") == 1 and runs(client, "1 month") == 1)
    eventually(
        lambda: (
            client.execute(
                "select count(*) from timescaledb_information.jobs "
                "where job_id in (%s, %s) and next_start > now() "
                "and (extract(minute from next_start) = 20 or extract(day from next_start) = 5)",
                (job, monthly),
            ).fetchone()
            == (2,)
        )
    )


def test_an_unscheduled_or_deleted_job_does_not_run(client: psycopg.Connection) -> None:
    with client.transaction():
        paused = add(client, "note", "2 seconds")
        client.execute("select alter_job(%s, scheduled => false)", (paused,))
        client.execute("select delete_job(%s)", (add(client, "note", "3 seconds"),))
        add(client, "note", "1 second")
    eventually(lambda: runs(client, "1 second") >= 2)
    assert (runs(client, "2 seconds"), runs(client, "3 seconds")) == (0, 0)


def test_a_failing_job_is_logged_and_retried_without_stopping_the_others(
    capfd: pytest.CaptureFixture[str], data_dir: Path, cache_dir: Path
) -> None:
    with database.start(data_dir, cache_dir=cache_dir) as server, connect(server.url) as client:
        create(client)
        # In one transaction: the job must not fail before it has its retry period.
        with client.transaction():
            failing = add(client, "fail", "1 hour")
            add(client, "note", "1 second")
            client.execute("select alter_job(%s, retry_period => '1 second')", (failing,))
        eventually(lambda: runs(client, "failing") >= 2 and runs(client, "1 second") >= 2)
        gap = client.execute(
            "select extract(epoch from max(at) - min(at)) from (select at from ran "
            "where name = 'failing' order by at limit 2) as first_two"
        ).fetchone()
    assert gap is not None
    assert gap[0] > 0.9
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line[:1] == "{"]
    logged = [line for line in lines if line["event"] == "job failed"]
    assert [line["failures"] for line in logged[:2]] == [1, 2]
    assert (logged[0]["job_id"], logged[0]["sqlstate"]) == (failing, "SV500")


@pytest.mark.parametrize("limit", ["config", "max_runtime"])
def test_a_run_is_canceled_once_at_the_limit_of_its_job(
    client: psycopg.Connection, limit: str
) -> None:
    client.execute(
        "create or replace procedure note(job_id int, config jsonb) language plpgsql as $$ begin "
        "perform count(*) from generate_series(1, 1000000000); "
        "exception when query_canceled then "
        "perform count(*) from generate_series(1, 1000000); "
        "insert into ran (name) values (config ->> 'name'); end $$"
    )
    config = {"name": "canceled", "statement_timeout": "200 ms"}
    runtime = "1 minute"
    if limit == "max_runtime":
        del config["statement_timeout"]
        runtime = "200 ms"
    client.execute(
        "select alter_job(add_job('note', '1 hour', config => %s), max_runtime => %s)",
        (json.dumps(config), runtime),
    )
    eventually(lambda: runs(client, "canceled") == 1)


def test_a_job_is_unscheduled_when_its_retries_are_used_up(client: psycopg.Connection) -> None:
    job = add(client, "fail", "1 hour")
    client.execute("select alter_job(%s, retry_period => '1 second', max_retries => 2)", (job,))
    eventually(
        lambda: (
            client.execute(
                "select scheduled from timescaledb_information.jobs where job_id = %s", (job,)
            ).fetchone()
            == (False,)
        )
    )
    assert runs(client, "failing") == 2


def test_a_job_runs_as_its_owner(client: psycopg.Connection) -> None:
    client.execute('create role "Job Owner" login; grant all on ran to "Job Owner"')
    with client.transaction():
        client.execute('set local role "Job Owner"')
        add(client, "note", "1 hour")
    eventually(lambda: runs(client, "1 hour") == 1)
    assert client.execute("select who from ran").fetchone() == ("Job Owner",)


def test_a_job_waits_for_the_open_transaction(client: psycopg.Connection) -> None:
    with client.transaction():
        add(client, "note", "1 second")
        eventually(lambda: client.execute(OVERDUE, ("note",)).fetchone() == (True,))
        assert runs(client, "1 second") == 0
    eventually(lambda: runs(client, "1 second") >= 1)


def test_policies_run_and_the_refreshed_aggregate_answers(client: psycopg.Connection) -> None:
    client.execute("create table m (ts timestamptz not null, v int)")
    client.execute("select create_hypertable('m', 'ts', chunk_time_interval => interval '1 day')")
    client.execute(
        "create materialized view h with (timescaledb.continuous, "
        "timescaledb.materialized_only = true) as select time_bucket('1 hour', ts) as bucket, "
        "sum(v) as total from m group by 1 with no data"
    )
    client.execute(
        "insert into m values (now() - interval '40 days', 1), (now() - interval '2 days', 2)"
    )
    with client.transaction():
        client.execute(
            "select add_continuous_aggregate_policy('h', interval '30 days', "
            "interval '1 hour', interval '1 hour')"
        )
        client.execute("select add_retention_policy('m', interval '35 days')")
    eventually(
        lambda: (
            client.execute(
                "select (select array_agg(total) from h), (select array_agg(v) from m)"
            ).fetchone()
            == ([2], [2])
        )
    )


def test_the_columnstore_policy_converts_one_chunk_a_turn(client: psycopg.Connection) -> None:
    client.execute("create table m (ts timestamptz not null, v int)")
    client.execute("select create_hypertable('m', 'ts', chunk_time_interval => interval '1 day')")
    client.execute("alter table m set (timescaledb.enable_columnstore)")
    client.execute(
        "insert into m select now() - n * interval '1 day', n from generate_series(5, 8) n"
    )
    client.execute("call add_columnstore_policy('m', after => interval '3 days')")
    turns = (
        "select count(*) filter (where not is_compressed), min(next_start) < now() + '1 hour'"
        " from timescaledb_information.chunks"
        " inner join timescaledb_information.jobs using (hypertable_name)"
    )
    eventually(lambda: client.execute(turns).fetchone() == (3, True))
    client.execute(
        "select alter_job(job_id, next_start => now()) from timescaledb_information.jobs"
    )
    eventually(lambda: client.execute(turns).fetchone() == (2, True))


def test_looking_for_jobs_leaves_the_session_of_a_client_alone(client: psycopg.Connection) -> None:
    client.execute("set timezone = 'Asia/Tokyo'")
    add(client, "note", "1 second")
    eventually(lambda: runs(client, "1 second") >= 2)
    assert client.execute("show timezone").fetchone() == ("Asia/Tokyo",)


def hold(client: psycopg.Connection, seconds: int) -> None:
    """Let a job that cannot pause have the server, once, when the caller has begun to ask."""
    client.execute(
        "create or replace procedure note(job_id int, config jsonb) language plpgsql as "
        f"$$ begin perform pg_sleep({seconds}); end $$"
    )
    add(client, "note", "1 hour", ", initial_start => now() + interval '1 second'")


def test_clients_that_wait_for_a_job_hear_which_one_it_is(
    client: psycopg.Connection, with_jobs: database.Database
) -> None:
    heard: list[tuple[str | None, str | None]] = []
    client.add_notice_handler(
        lambda notice: heard.append((notice.message_primary, notice.message_detail))
    )
    with Connection(with_jobs.url).begin() as idle:
        hold(client, 3)
        eventually(lambda: client.execute("select 1").fetchone() == (1,) and bool(heard))
        assert not select.select([idle.socket], [], [], 0)[0]
    message, detail = heard[0]
    assert (message or "").startswith("waiting for job note, which has held the database for")
    assert json.loads(detail or "{}") == {"job": "note", "job_seconds": 1}


def test_runs_are_counted_where_timescaledb_counts_them(client: psycopg.Connection) -> None:
    add(client, "note", "1 second")
    failing = add(client, "fail", "1 hour")
    counted = (
        "select total_runs, total_successes, last_run_status,"
        " last_run_duration < interval '2 seconds'"
        " from timescaledb_information.job_stats where job_id = %s"
    )
    eventually(lambda: client.execute(counted, (failing,)).fetchone() == (1, 0, "Failed", True))


@pytest.mark.parametrize("slug", ["unavailable", "too_slow"])
def test_a_request_that_waited_for_a_job_in_vain_says_for_which(
    client: psycopg.Connection,
    with_jobs: database.Database,
    slug: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`unavailable`: no connection of the pool was free in time."""
    monkeypatch.setattr(db, "POOL_SECONDS", 3.0)

    async def refused() -> BaseException | None:
        limit = 30 if slug == "unavailable" else 1
        calls = Database(with_jobs.url, pool_size=1, statement_timeout_seconds=limit)

        async def ask() -> None:
            while True:
                await calls.read("select 1", {})

        await calls.open()
        try:
            hold(client, 5)
            # One is asked and two wait for its connection, whenever the job begins.
            asking = [asyncio.create_task(ask()) for _ in range(3)]
            refused, _ = await asyncio.wait(asking, timeout=60, return_when="FIRST_COMPLETED")
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
            return refused.pop().exception()
        finally:
            await calls.close()

    client.execute("do $$ begin create role supervisor_app; exception when others then end $$")
    problem = asyncio.run(refused())
    assert isinstance(problem, Problem)
    assert problem.slug == slug
    assert "job note has held the database for" in problem.detail
    assert problem.params["job"] == "note"
    assert problem.params["job_seconds"] >= 2
    assert "native TimescaleDB server" in (problem.hint or "")
