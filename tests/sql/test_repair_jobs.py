"""Jobs whose run was cut off, and that TimescaleDB would put off."""

from __future__ import annotations

from datetime import timedelta

import pytest
from psycopg import Connection

from tests.sql.calls import NOW, Json, ask

# Nothing runs the jobs of a test.
SCHEDULED = "update _timescaledb_config.bgw_job set scheduled = true where id >= 1000"
CUT_OFF = """
insert into _timescaledb_internal.bgw_job_stat (
    job_id, last_start, last_finish, next_start, last_successful_finish, last_run_success,
    total_runs, total_duration, total_duration_failures, total_successes, total_failures,
    total_crashes, consecutive_failures, consecutive_crashes
)
select
    job_id, now() - interval '2 minutes', '-infinity', '-infinity', '-infinity', true,
    1, '0', '0', 0, 0, 1, 0, 1
from ops.policies
where policy = %s and relation = %s
on conflict (job_id) do update
    set
        last_start = excluded.last_start, last_finish = excluded.last_finish,
        next_start = excluded.next_start, consecutive_crashes = 1
"""
JOB = """
select
    job_id, schedule_interval, max_runtime, max_retries, retry_period, config, fixed_schedule,
    initial_start, owner
from timescaledb_information.jobs
where proc_name = %s and coalesce(hypertable_name, proc_name) = %s
"""
OTHER_SETTINGS = """
select alter_job(%s, max_retries => 7, retry_period => '42 s', schedule_interval => '3 hours')
"""
STATE = "select state from ops.jobs where policy = %s and relation = %s"

PRUNE = ("prune", "internal.prune")
JOBS = [
    PRUNE,
    ("evaluate_alerts", "internal.evaluate_alerts"),
    ("policy_retention", "data.sample"),
    ("policy_compression", "data.sample"),
    ("policy_compression", "data.sample_1h"),
]


@pytest.fixture
def jobs(db: Connection) -> Connection:
    """A database whose jobs are not paused, as those of tests are."""
    db.execute(SCHEDULED)
    return db


def repair(db: Connection, after: timedelta = timedelta(0)) -> list[Json]:
    return list(ask(db, "select api.repair_jobs(%s)", NOW + after))


def found(db: Connection, policy: str, relation: str) -> tuple[object, ...]:
    (row,) = db.execute(JOB, [policy, relation.split(".")[1]]).fetchall()
    return tuple(row)


@pytest.mark.parametrize(("policy", "relation"), JOBS)
def test_a_job_that_was_cut_off_is_made_again_with_its_settings(
    jobs: Connection, policy: str, relation: str
) -> None:
    before = found(jobs, policy, relation)
    jobs.execute(OTHER_SETTINGS, [before[0]])
    before = found(jobs, policy, relation)
    jobs.execute(CUT_OFF, [policy, relation])
    assert ask(jobs, STATE, policy, relation) == "crashed"

    (repaired,) = repair(jobs)

    assert (repaired["policy"], repaired["relation"]) == (policy, relation)
    after = found(jobs, policy, relation)
    assert after[0] != before[0]
    assert after[1:] == before[1:]
    assert ask(jobs, STATE, policy, relation) == "scheduled"
    due = "select next_start <= now() from timescaledb_information.jobs where job_id = %s"
    assert ask(jobs, due, after[0])


def test_a_job_without_a_config_is_made_again(jobs: Connection) -> None:
    jobs.execute("update _timescaledb_config.bgw_job set config = null where proc_name = 'prune'")
    before = found(jobs, *PRUNE)
    jobs.execute(CUT_OFF, PRUNE)

    assert len(repair(jobs)) == 1
    assert found(jobs, *PRUNE)[1:] == before[1:]


def test_another_job_of_the_procedure_stays_as_it_is(jobs: Connection) -> None:
    jobs.execute(CUT_OFF, PRUNE)
    other = ask(jobs, "select add_job('internal.prune', '1 day', config => '{\"mine\": 1}')")
    shipped, config, schedule = jobs.execute(
        "select job_id, config, schedule_interval from timescaledb_information.jobs"
        " where proc_name = 'prune' and job_id <> %s",
        [other],
    ).fetchone() or (0, {}, timedelta())

    assert len(repair(jobs)) == 1
    listed = jobs.execute(
        "select job_id, config, schedule_interval from timescaledb_information.jobs"
        " where proc_name = 'prune' order by job_id"
    ).fetchall()
    assert listed[0] == (other, {"mine": 1}, timedelta(days=1))
    assert [row[1:] for row in listed[1:]] == [(config, schedule)]
    assert shipped < other < listed[1][0]


def test_a_job_that_crashes_again_is_left_to_its_server_for_an_hour(jobs: Connection) -> None:
    for after, times in ((0, 1), (59, 0), (61, 1)):
        jobs.execute(CUT_OFF, PRUNE)
        assert len(repair(jobs, timedelta(minutes=after))) == times


def test_a_database_administrator_repairs_at_once(jobs: Connection) -> None:
    jobs.execute(CUT_OFF, PRUNE)
    repair(jobs)
    jobs.execute(CUT_OFF, PRUNE)
    jobs.execute("set local role supervisor_dba")
    assert jobs.execute("select policy from ops.repair_jobs()").fetchall() == [("prune",)]


def test_a_second_node_finds_nothing_to_repair(jobs: Connection) -> None:
    jobs.execute(CUT_OFF, PRUNE)
    jobs.execute("set local role supervisor_app")
    assert len(repair(jobs)) == 1
    assert repair(jobs) == []


@pytest.mark.parametrize(
    "otherwise",
    [
        "update _timescaledb_internal.bgw_job_stat set last_start = now() - interval '30 s'",
        "update _timescaledb_internal.bgw_job_stat set last_start = '-infinity'",
        "update _timescaledb_internal.bgw_job_stat set last_finish = now() - interval '1 minute'",
        "select alter_job(job_id, scheduled => false) from ops.policies where policy = 'prune'",
        "delete from deploy.setting where policy = 'prune'",
    ],
    ids=["just begun", "never run", "has ended", "paused", "not shipped"],
)
def test_other_jobs_are_left_alone(jobs: Connection, otherwise: str) -> None:
    jobs.execute(CUT_OFF, PRUNE)
    jobs.execute(otherwise.encode())
    before = found(jobs, *PRUNE)
    assert repair(jobs) == []
    assert found(jobs, *PRUNE) == before


@pytest.mark.native_only("the embedded server shows no sessions")
def test_a_job_that_really_runs_is_left_alone(jobs: Connection) -> None:
    jobs.execute(CUT_OFF, PRUNE)
    jobs.execute(
        "select set_config('application_name', application_name, true)"
        " from timescaledb_information.jobs where proc_name = 'prune'"
    )
    jobs.execute("select pg_stat_clear_snapshot()")
    assert repair(jobs) == []
    assert ask(jobs, STATE, *PRUNE) == "running"
