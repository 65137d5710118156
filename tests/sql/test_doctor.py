"""What is wrong with the database, and the statement that repairs it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from psycopg import Connection

from tests.sql.calls import NOW, Json, ask, ingest_metrics, metric
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


def findings(db: Connection, name: str) -> list[Json]:
    return [found for found in diagnosis(db)["findings"] if found["name"] == name]


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
    ingest_metrics(healthy, metric(ts=(NOW - timedelta(days=3)).isoformat()))
    healthy.execute("update data.late set noted_at = %s", [NOW - timedelta(hours=2)])
    (found,) = findings(healthy, "backlog")
    assert found["detail"].startswith("1 late samples wait")
    assert found["repair"].startswith("call run_job(")


def test_conflicts_of_a_day_are_found(healthy: Connection) -> None:
    for value in (1, 2):
        ingest_metrics(healthy, metric(value=value, ts=NOW.isoformat()))
    (found,) = findings(healthy, "conflicts")
    assert 'source "web" and kind "cpu"' in found["detail"]


def test_a_quota_that_is_nearly_used_is_found(healthy: Connection) -> None:
    healthy.execute("update data.quota set used = 9, value = 10 where name = 'kinds'")
    (found,) = findings(healthy, "quotas")
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


@pytest.mark.parametrize(
    ("statement", "detail"),
    [
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
