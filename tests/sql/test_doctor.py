"""What is wrong with the database, and the statement that repairs it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.calls import NOW, Json, ask, ingest_metrics, mark_rolled_up, metric
from tests.sql.test_repair_jobs import CUT_OFF

SCHEDULED = "update _timescaledb_config.bgw_job set scheduled = true where id >= 1000"


@pytest.fixture
def healthy(db: Connection) -> Connection:
    """A database whose jobs are not paused, as those of tests are, and due in an hour."""
    db.execute(SCHEDULED)
    # A copy of a database has none of its settings.
    db.execute("set jit = off")
    db.execute(
        "select alter_job(job_id, next_start => now() + interval '1 hour') from ops.policies"
    )
    return db


def diagnosis(db: Connection) -> Json:
    answer: Json = ask(db, "select api.doctor(%s, null)", NOW)
    return answer


def findings(db: Connection, name: str, now: datetime = NOW) -> list[Json]:
    found: list[Json] = ask(db, "select api.doctor(%s, null)", now)["findings"]
    return [each for each in found if each["name"] == name]


def job(db: Connection, policy: str) -> int:
    number: int = ask(db, "select min(job_id) from ops.policies where policy = %s", policy)
    return number


def test_a_healthy_database_has_no_findings(healthy: Connection) -> None:
    answer = diagnosis(healthy)
    assert (answer["status"], answer["findings"]) == ("ok", [])
    assert answer["versions"]["postgresql"].startswith("17.")
    assert "jobs" in answer["checked"]


def test_plans_that_are_compiled_are_a_warning(healthy: Connection) -> None:
    healthy.execute("set jit = on")
    if not ask(healthy, "select pg_jit_available()"):
        pytest.skip("this server cannot compile plans")
    (found,) = findings(healthy, "jit")
    assert found["status"] == "warning"
    assert found["repair"].endswith(" set jit = off;")


def stat(db: Connection, assignment: str) -> None:
    db.execute(
        f"update _timescaledb_internal.bgw_job_stat set {assignment} where job_id = ("
        "select job_id from ops.policies where policy = 'prune')".encode()
    )


@pytest.mark.parametrize(
    ("assignment", "state", "repair"),
    [
        (
            "next_start = '-infinity', last_finish = '-infinity',"
            " last_start = now() - interval '2 minutes'",
            "crashed",
            "select * from ops.repair_jobs();",
        ),
        (
            "next_start = now() - interval '2 days'",
            "overdue",
            "select alter_job(%s, next_start => now());",
        ),
        (
            "last_finish = now(), last_start = now(), last_run_success = false",
            "failed",
            "call run_job(%s);",
        ),
    ],
)
def test_jobs_that_do_not_run_are_found(
    healthy: Connection, assignment: str, state: str, repair: str
) -> None:
    stat(healthy, assignment)
    number = ask(healthy, "select job_id from ops.policies where policy = 'prune'")
    assert ask(healthy, "select state from ops.jobs where job_id = %s", number) == state
    (found,) = findings(healthy, "jobs")
    assert f"is {state}" in found["detail"]
    assert (found["status"], found["repair"]) == ("error", repair.replace("%s", str(number)))


def test_a_job_that_is_late_is_found_with_how_late_it_is(healthy: Connection) -> None:
    stat(healthy, "next_start = now() - interval '2 days 3.5 s'")
    (found,) = findings(healthy, "jobs")
    assert found["detail"].endswith("(prune of internal.prune) is overdue for 2 days 00:00:03.")


def test_a_job_that_failed_is_found_with_its_last_error(healthy: Connection) -> None:
    stat(healthy, "last_finish = now(), last_start = now(), last_run_success = false")
    log(healthy, "prune", "1 hour", "1 s", "first")
    log(healthy, "prune", "1 minute", "1 s", "second")
    log(healthy, "prune", "2 hours", "1 s", "third")
    log(healthy, "refresh_late", "1 minute", "1 s", "of another job")
    (found,) = findings(healthy, "jobs")
    assert found["detail"].endswith("(prune of internal.prune) is failed: second.")


def log(db: Connection, policy: str, before: str, lasted: str, error: str | None = None) -> None:
    """Log a run of a job, as the server does where that is set."""
    db.execute(
        "insert into _timescaledb_internal.bgw_job_stat_history"
        " (job_id, pid, execution_start, execution_finish, succeeded, data)"
        " values (%s, 1, now() - %s::interval, now() - %s::interval + %s::interval, %s, %s)",
        [
            job(db, policy),
            before,
            before,
            lasted,
            error is None,
            Jsonb({"job": {}} if error is None else {"job": {}, "error_data": {"message": error}}),
        ],
    )


def test_how_long_the_runs_of_a_job_take_is_shown(healthy: Connection) -> None:
    for seconds in (*range(20, 0, -1), 100):
        log(healthy, "prune", f"{seconds} minutes", f"{seconds} s")
    log(healthy, "prune", "1 hour", "500 s", "failed")
    log(healthy, "refresh_late", "1 minute", "300 s")
    shown = healthy.execute(
        "select extract(epoch from p50_duration)::integer,"
        " extract(epoch from p95_duration)::integer, last_error,"
        " extract(epoch from now() - last_error_at)::integer"
        " from ops.jobs where policy = 'prune'"
    ).fetchone()
    assert shown == (11, 20, "failed", 3600)


def test_a_job_that_never_ran_has_no_runs_and_no_errors(healthy: Connection) -> None:
    healthy.execute(
        "update _timescaledb_config.bgw_job set initial_start = now() + interval '1 hour'"
    )
    healthy.execute("delete from _timescaledb_internal.bgw_job_stat")
    shown = healthy.execute(
        "select state, runs, failures, p50_duration, last_error"
        " from ops.jobs where policy = 'prune'"
    ).fetchone()
    assert shown == ("scheduled", 0, 0, None, None)


@pytest.mark.parametrize(
    ("interval", "late", "state"),
    [
        ("1 minute", "10 minutes", "scheduled"),
        ("1 minute", "10 minutes 1 s", "overdue"),
        ("1 hour", "1 hour", "scheduled"),
        ("1 hour", "1 hour 1 s", "overdue"),
        ("1 hour", "-5 minutes", "scheduled"),
    ],
)
def test_a_job_is_overdue_after_its_interval_and_ten_minutes_at_least(
    healthy: Connection, interval: str, late: str, state: str
) -> None:
    healthy.execute(
        "select alter_job(%s, schedule_interval => %s::interval)", [job(healthy, "prune"), interval]
    )
    stat(healthy, f"next_start = now() - interval '{late}'")
    shown = healthy.execute(
        "select state, overdue = greatest(%s::interval, '0'), next_start = now() - %s::interval"
        " from ops.jobs where policy = 'prune'",
        [late, late],
    ).fetchone()
    assert shown == (state, True, True)


def test_a_job_whose_run_has_not_ended_is_running(healthy: Connection) -> None:
    finished = "last_start = now() - interval '1 s', last_finish = now() - interval '{} s'"
    for seconds, state in (("1", "scheduled"), ("2", "running")):
        stat(healthy, finished.format(seconds))
        assert ask(healthy, "select state from ops.jobs where policy = 'prune'") == state


def test_a_crashed_job_that_no_deploy_has_made_is_to_be_run(healthy: Connection) -> None:
    retention = ("policy_retention", "data.sample")
    # Another policy of the relation, and the same policy of others, still have their settings.
    healthy.execute("delete from deploy.setting where policy = %s and relation = %s", retention)
    healthy.execute(CUT_OFF, retention)

    (found,) = findings(healthy, "jobs")
    assert found["repair"].startswith("call run_job(")


def test_a_paused_job_is_a_warning_and_its_repair_ends_that(healthy: Connection) -> None:
    healthy.execute(
        "select alter_job(job_id, scheduled => false) from ops.policies where policy = 'prune'"
    )
    (found,) = findings(healthy, "jobs")
    assert (diagnosis(healthy)["status"], found["status"]) == ("warning", "warning")
    healthy.execute(found["repair"])
    assert findings(healthy, "jobs") == []


@pytest.mark.parametrize("policy", ["refresh_recent", "refresh_late", "prune"])
def test_a_deleted_job_is_a_warning_and_its_repair_makes_it_again(
    healthy: Connection, policy: str
) -> None:
    made = "select schedule_interval, config from ops.policies where policy = %s"
    before = healthy.execute(made, [policy]).fetchall()
    healthy.execute("select delete_job(%s)", [job(healthy, policy)])

    (found,) = findings(healthy, "jobs")
    assert (found["status"], found["detail"]) == ("warning", f"Job {policy} has been deleted.")
    healthy.execute(found["repair"])
    assert healthy.execute(made, [policy]).fetchall() == before
    assert findings(healthy, "jobs") == []


def test_a_policy_that_an_administrator_removed_is_no_finding(healthy: Connection) -> None:
    healthy.execute("select remove_retention_policy('data.sample_1d')")
    assert findings(healthy, "jobs") == []


def test_a_job_a_little_late_is_not_overdue(healthy: Connection) -> None:
    stat(healthy, "next_start = now() - interval '5 minutes'")
    assert findings(healthy, "jobs") == []


def test_a_refresh_policy_that_erases_rollups_is_found(healthy: Connection) -> None:
    healthy.execute(
        "select add_continuous_aggregate_policy("
        "'data.sample_1h', interval '3 days', interval '1 hour', interval '1 day')"
    )
    healthy.execute(SCHEDULED)
    (found,) = findings(healthy, "refresh")
    healthy.execute(found["repair"])
    assert findings(healthy, "refresh") == []


def test_late_samples_that_wait_too_long_are_found(healthy: Connection) -> None:
    mark_rolled_up(healthy, NOW)
    ingest_metrics(healthy, metric(ts=(NOW - timedelta(days=3)).isoformat()))
    healthy.execute("update data.late_hour set noted_at = %s", [NOW - timedelta(hours=2)])
    (found,) = findings(healthy, "backlog")
    assert found["detail"].startswith("1 late sample waits")
    assert found["repair"].startswith("call run_job(")


@pytest.mark.parametrize(("waited", "found"), [(3_600_000_001, True), (3_600_000_000, False)])
def test_late_samples_may_wait_for_an_hour(healthy: Connection, waited: int, found: bool) -> None:
    # A later job of the same procedure is not the one to run.
    healthy.execute("select add_job('internal.refresh_late', '1 h')")
    mark_rolled_up(healthy, NOW)
    ingest_metrics(healthy, metric(ts=(NOW - timedelta(days=3)).isoformat()))
    healthy.execute(
        "update data.late_hour set noted_at = %s", [NOW - timedelta(microseconds=waited)]
    )

    repairs = [each["repair"] for each in findings(healthy, "backlog")]
    assert repairs == [f"call run_job({job(healthy, 'refresh_late')});"] * found


@pytest.mark.parametrize(
    ("age", "lag", "found"),
    [
        (timedelta(hours=4, seconds=1), timedelta(hours=4, seconds=1), True),
        (timedelta(hours=4), timedelta(hours=4, seconds=1), False),
        (timedelta(hours=4, seconds=1), timedelta(hours=4), False),
        (timedelta(days=2), timedelta(hours=1), False),
    ],
)
def test_hours_may_be_four_hours_behind_where_there_are_samples(
    healthy: Connection, age: timedelta, lag: timedelta, found: bool
) -> None:
    healthy.execute(
        "select add_job('internal.refresh_rollups', '1 h',"
        " (select config from ops.policies where policy = 'refresh_rollups'))"
    )
    ingest_metrics(healthy, metric(ts=NOW.isoformat()))
    now = ask(healthy, "select internal.oldest_chunk('sample')") + age
    for rollup in ("sample_1h", "sample_1d"):
        mark_rolled_up(healthy, now - lag, rollup)

    shown = [(each["detail"], each["repair"]) for each in findings(healthy, "backlog", now)]
    assert (
        shown
        == [
            (
                f"The refresh of sample_1h is behind by 0{lag}.",
                f"call run_job({job(healthy, 'refresh_rollups')});",
            )
        ]
        * found
    )


@pytest.mark.parametrize(
    ("waiting", "said"),
    [
        (
            1,
            [
                "1 alert or fact waits to be sent for 02:00:00.",
                "1 late sample waits for 02:00:00.",
                "1 request is not delivered for 02:00:00.",
            ],
        ),
        (
            2,
            [
                "2 alerts and facts wait to be sent for 02:00:00.",
                "2 late samples wait for 02:00:00.",
                "2 requests are not delivered for 02:00:00.",
            ],
        ),
    ],
)
def test_what_waits_is_counted_in_a_sentence(
    healthy: Connection, waiting: int, said: list[str]
) -> None:
    # Above it, late samples wait for nothing.
    mark_rolled_up(healthy, NOW)
    # Without the kinds and subscriptions that the rows belong to.
    healthy.execute("set local session_replication_role = replica")
    at = NOW - timedelta(hours=2)
    late = (
        "insert into data.late_hour (kind_id, bucket, samples, noted_at)"
        " values (1, %(at)s, %(n)s, %(at)s)"
    )
    outbox = (
        "insert into data.outbox (subscription_id, group_key, item, due_at)"
        " select 1, 'a', '{}', %(at)s from generate_series(1, %(n)s)"
    )
    deliveries = (
        "insert into data.delivery (subscription_id, group_key, payload, created_at, next_at)"
        " select 1, number::text, '{}', %(at)s, %(at)s from generate_series(1, %(n)s) as number"
    )
    for statement in (late, outbox, deliveries):
        healthy.execute(statement.encode(), {"at": at, "n": waiting})
    assert [each["detail"] for each in findings(healthy, "backlog")] == said


@pytest.mark.parametrize(("age", "found"), [(86_399, True), (86_400, False)])
def test_conflicts_of_the_last_day_are_found(healthy: Connection, age: int, found: bool) -> None:
    for value in (1, 2):
        ingest_metrics(healthy, metric(value=value, ts=NOW.isoformat()))
    later = NOW + timedelta(seconds=age)
    assert bool(findings(healthy, "conflicts", later)) is found


def test_conflicts_of_a_day_are_found(healthy: Connection) -> None:
    for value in (1, 2):
        ingest_metrics(healthy, metric(value=value, ts=NOW.isoformat()))
    (found,) = findings(healthy, "conflicts")
    one = '1 item of source "web" and kind "cpu" was sent again with other content.'
    assert found["detail"] == one
    ingest_metrics(healthy, metric(value=3, ts=NOW.isoformat()))
    (found,) = findings(healthy, "conflicts")
    several = '2 items of source "web" and kind "cpu" were sent again with other content.'
    assert found["detail"] == several


def test_a_quota_that_is_nearly_used_is_found(healthy: Connection) -> None:
    healthy.execute("update data.quota set used = 9, value = 10 where name = 'kinds'")
    (found,) = findings(healthy, "quotas")
    assert found["detail"] == "9 of 10 kinds are used."
    assert found["repair"] == "select ops.set_quota('kinds', 20);"
    healthy.execute(found["repair"])
    assert findings(healthy, "quotas") == []


def test_a_pinned_chunk_that_nothing_keeps_is_found(healthy: Connection) -> None:
    old = NOW - timedelta(days=88)
    ingest_metrics(healthy, metric(ts=old.isoformat()))
    healthy.execute(
        "insert into data.pin (source, during, reason, author, pinned_at)"
        " values ('web', tstzrange(%s, %s), 'outage', 'ann', now())",
        [old, old + timedelta(hours=1)],
    )
    (found,) = findings(healthy, "pins")
    assert found["repair"] == "call internal.keep_pins(0, '{}');"
    # By the clock of the server, which the job goes by, the chunk has expired long ago.
    healthy.execute(found["repair"])
    assert findings(healthy, "pins") == []


def test_a_chunk_is_to_be_kept_five_days_before_it_expires_where_it_is_pinned(
    healthy: Connection,
) -> None:
    old = NOW - timedelta(days=60)
    ingest_metrics(healthy, [metric(ts=(old + n * timedelta(days=20)).isoformat()) for n in (0, 1)])
    chunk, end = healthy.execute(
        "select chunk::text, range_end from internal.list_chunks('sample') order by range_end"
    ).fetchall()[0]
    edge = end + ask(healthy, "select internal.retention('sample')") - timedelta(days=5)
    assert findings(healthy, "pins", edge) == []

    healthy.execute(
        "insert into data.pin (source, during, reason, author, pinned_at)"
        " values ('web', tstzrange(%s, %s), 'outage', 'ann', now())",
        [old, old + timedelta(hours=1)],
    )
    (found,) = findings(healthy, "pins", edge)
    assert found["detail"] == f"Chunk {chunk} is pinned and expires, and nothing keeps it."
    assert findings(healthy, "pins", edge - timedelta(microseconds=1)) == []


def test_a_bucket_that_differs_from_its_samples_is_found(healthy: Connection) -> None:
    row = (
        "insert into data.proof (rollup, bucket, matches, checked_at)"
        " values ('sample_1h', %s, %s, %s)"
    )
    healthy.execute(row, [NOW, True, NOW])
    assert findings(healthy, "proof") == []
    healthy.execute(row, [NOW, False, NOW])
    (found,) = findings(healthy, "proof")
    assert found["detail"] == "1 bucket differs from what its samples say."
    healthy.execute(row, [NOW - timedelta(hours=1), False, NOW])
    (found,) = findings(healthy, "proof")
    assert found["detail"] == "2 buckets differ from what their samples say."


@pytest.mark.parametrize(
    ("statement", "detail"),
    [
        (
            "revoke select on analytics.kinds, analytics.facts from supervisor_analyst",
            "Role supervisor_analyst lacks 2 privileges, such as select on analytics.facts.",
        ),
        (
            "revoke select on analytics.kinds from supervisor_analyst",
            "Role supervisor_analyst lacks 1 privilege, such as select on analytics.kinds.",
        ),
        (
            "revoke execute on function api.get_state from supervisor_app",
            "Role supervisor_app lacks 1 privilege, such as execute on function api.get_state.",
        ),
        (
            "revoke usage on schema ops from supervisor_dba",
            "Role supervisor_dba lacks 1 privilege, such as usage on schema ops.",
        ),
    ],
)
def test_privileges_that_a_role_has_lost_are_found(
    healthy: Connection, statement: str, detail: str
) -> None:
    healthy.execute(statement.encode())
    (found,) = findings(healthy, "grants")
    assert (found["status"], found["detail"]) == ("error", detail)
    assert found["repair"] == "supervisor-mcp deploy"


@pytest.mark.parametrize("role", ["supervisor_app", "supervisor_analyst", "supervisor_dba"])
def test_who_has_a_role_cannot_drop_what_it_needs(healthy: Connection, role: str) -> None:
    healthy.execute(f"create role member_of_it login in role {role}".encode())
    healthy.execute("set local role member_of_it")
    healthy.execute(f"drop owned by {role} cascade".encode())
    healthy.execute("reset role")
    assert findings(healthy, "grants") == findings(healthy, "query_sql") == []


def test_a_function_of_statements_that_was_dropped_is_found(healthy: Connection) -> None:
    healthy.execute("drop owned by supervisor_statement cascade")
    (found,) = findings(healthy, "query_sql")
    assert (found["status"], found["repair"]) == ("error", "supervisor-mcp deploy")


def test_a_function_of_statements_that_belongs_to_another_role_is_found(
    healthy: Connection,
) -> None:
    healthy.execute(
        "alter function internal.run_statement(text, integer, integer) owner to supervisor_dba"
    )
    healthy.execute("alter function internal.count_groups owner to supervisor_statement")
    (found,) = findings(healthy, "query_sql")
    assert (found["status"], found["repair"]) == ("error", "supervisor-mcp deploy")


def test_temporary_files_that_are_limited_need_no_privilege(healthy: Connection) -> None:
    healthy.execute("create role plain_owner in role supervisor_dba")
    for kind in ("schema", "all tables in schema", "all functions in schema"):
        healthy.execute(f"grant all on {kind} data, internal, deploy to plain_owner".encode())
    healthy.execute("alter function api.doctor(timestamptz, text) owner to plain_owner")
    healthy.execute("set local temp_file_limit = '1GB'")
    assert findings(healthy, "query_sql") == []


def test_an_owner_who_cannot_limit_temporary_files_is_found(healthy: Connection) -> None:
    healthy.execute("create role plain_owner in role supervisor_dba")
    for kind in ("schema", "all tables in schema", "all functions in schema"):
        healthy.execute(f"grant all on {kind} data, internal, deploy to plain_owner".encode())
    healthy.execute("alter function api.doctor(timestamptz, text) owner to plain_owner")
    (found,) = findings(healthy, "query_sql")
    assert found["status"] == "warning"
    healthy.execute(found["repair"].encode())
    assert findings(healthy, "query_sql") == []


def test_the_service_may_ask(healthy: Connection) -> None:
    healthy.execute("set local role supervisor_app")
    assert diagnosis(healthy)["status"] == "ok"
