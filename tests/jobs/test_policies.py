"""What sql/policies schedules, and that all of it runs; `run_job` replaces the scheduler."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from tests.sql.calls import ask, fact, ingest_facts, ingest_metrics, metric
from tests.support.rollups import roll_up

EXPECTED = {
    "data.sample": {"policy_retention", "policy_compression"},
    "data.fact": {"policy_retention", "policy_compression"},
    "data.sample_1h": {"policy_retention", "policy_compression"},
    "data.kind_1h": {"policy_retention", "policy_compression"},
    "data.sample_1d": {"policy_retention", "policy_compression"},
    "data.kind_1d": {"policy_retention", "policy_compression"},
    "data.aggregate": {"policy_retention", "policy_compression"},
    "data.kind_change": {"policy_retention"},
    "data.health_report": {"policy_retention", "policy_compression"},
    "data.alert_transition": {"policy_retention", "policy_compression"},
    "internal.evaluate_alerts": {"evaluate_alerts"},
    "internal.expire_health": {"expire_health"},
    "internal.observe_traffic": {"observe_traffic"},
    "internal.refresh_rollups": {"refresh_rollups"},
    "internal.refresh_late": {"refresh_late"},
    "internal.refresh_recent": {"refresh_recent"},
    "internal.keep_pins": {"keep_pins"},
    "internal.snapshot_aggregates": {"snapshot_aggregates"},
    "internal.prove": {"prove"},
    "internal.prune": {"prune"},
    "internal.prune_catalogue": {"prune_catalogue"},
}


def run(conn: Connection, relation: str, policy: str) -> None:
    job = ask(
        conn,
        "select job_id from ops.policies where relation = %s and policy = %s",
        relation,
        policy,
    )
    conn.execute(f"call run_job({job})".encode())


@pytest.fixture
def conn(fresh_database: str) -> Any:
    with psycopg.connect(fresh_database, autocommit=True, prepare_threshold=None) as connection:
        yield connection


def test_every_relation_has_the_policies_it_needs(db: Connection) -> None:
    found: dict[str, set[str]] = {}
    for relation, policy in db.execute("select relation, policy from ops.policies"):
        found.setdefault(relation, set()).add(policy)

    assert found == EXPECTED


def test_jobs_start_one_after_the_other(db: Connection) -> None:
    starts = [
        row[0]
        for row in db.execute(
            "select initial_start from ops.policies"
            " inner join timescaledb_information.jobs using (job_id) order by 1"
        )
    ]

    gaps = {later - earlier for earlier, later in itertools.pairwise(starts)}
    assert gaps == {timedelta(seconds=5)}


def test_every_job_runs_on_what_was_ingested(conn: Connection) -> None:
    now = datetime.now(UTC)
    old = (now - timedelta(days=3)).isoformat()
    ingest_metrics(conn, [metric(ts=old, value=5), metric(source="db", value=7)], now=now)
    ingest_facts(conn, [fact(fact_id="a", ts=old), fact()], now=now)
    # A day that just got late samples would wait.
    conn.execute(
        'select alter_job(job_id, config => config || \'{"settle": "0"}\')'
        " from ops.policies where policy = 'refresh_late'"
    )

    for relation, policies in EXPECTED.items():
        for policy in sorted(policies):
            run(conn, relation, policy)

    assert ask(conn, "select count(*) from data.sample") == 4
    assert ask(conn, "select count(*) from data.late_hour") == 0


def test_retention_drops_samples_and_keeps_their_rollups(conn: Connection) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=120)
    ingest_metrics(conn, [metric(ts=long_ago.isoformat(), value=5)], now=long_ago)
    roll_up(conn, long_ago + timedelta(days=3))

    for relation, policies in EXPECTED.items():
        for policy in sorted(policies, reverse=True):
            run(conn, relation, policy)

    assert ask(conn, "select count(*) from data.sample") == 0
    assert ask(conn, "select sum(value_sum) from data.sample_1h") == 5
    assert ask(conn, "select sum(value_sum) from data.kind_1d") == 5
