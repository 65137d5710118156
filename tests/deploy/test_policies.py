"""Policies are applied when their file changes; grants whenever anything does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from supervisor_mcp.deploy import deploy, shipped_sql_dir
from tests.deploy.conftest import Ask
from tests.deploy.sample import SAMPLE, write
from tests.support.timescaledb import Server

KEPT = """
select config ->> 'drop_after' from timescaledb_information.jobs
where proc_name = 'policy_retention' and hypertable_name = 'sample'
"""
RUNNER = "internal.run_statement(text, integer, integer)"


def connect(url: str) -> Connection:
    return psycopg.connect(url, autocommit=True, prepare_threshold=None)


def test_unchanged_file_leaves_what_a_dba_set(empty_database: str, sql_dir: Path, ask: Ask) -> None:
    deploy(empty_database, sql_dir)
    ask("select remove_retention_policy('data.sample')")
    ask("select add_retention_policy('data.sample', interval '90 days')")
    write(sql_dir, {"functions/api/more.sql": "create view api.more as select 1 as x;"})

    report = deploy(empty_database, sql_dir)

    assert report.policies == ()
    assert ask(KEPT) == [("90 days",)]


def test_changed_file_is_applied_again(empty_database: str, sql_dir: Path, ask: Ask) -> None:
    deploy(empty_database, sql_dir)
    text = (
        "select remove_retention_policy('data.sample', if_exists => true);"
        "select add_retention_policy('data.sample', interval '60 days');"
    )
    write(sql_dir, {"policies/sample.sql": text})

    report = deploy(empty_database, sql_dir)

    assert report.policies == ("policies/sample.sql",)
    assert report.code == ()
    assert ask(KEPT) == [("60 days",)]


def test_what_was_dropped_by_hand_is_created_again(
    empty_database: str, sql_dir: Path, ask: Ask
) -> None:
    deploy(empty_database, sql_dir)
    ask("drop function api.query_sum(text, interval)")

    report = deploy(empty_database, sql_dir)

    assert report.code == ("functions/api/query_sum.sql",)
    assert not deploy(empty_database, sql_dir).changed


@pytest.fixture(scope="module")
def shipped(database_server: Server) -> Iterator[str]:
    """A database with what a release ships, which each test deploys again."""
    with database_server.deployed() as url:
        yield url


@pytest.mark.parametrize("role", ["supervisor_app", "supervisor_analyst", "supervisor_dba"])
def test_what_a_role_has_lost_is_granted_again(shipped: str, role: str) -> None:
    with connect(shipped) as conn:
        conn.execute(SQL("drop owned by {} cascade").format(Identifier(role)))
        lost = conn.execute("select distinct role from internal.lost_grants()").fetchall()
        assert lost == [(role,)]

        assert "grants.sql" in deploy(shipped, shipped_sql_dir()).grants

        assert conn.execute("select from internal.lost_grants()").fetchall() == []
        runner = conn.execute("select to_regprocedure(%s)", [RUNNER]).fetchone()
        assert runner != (None,)
    assert not deploy(shipped, shipped_sql_dir()).changed


def test_what_runs_statements_is_given_to_its_role_again(shipped: str) -> None:
    owner = "select proowner::regrole::text from pg_proc where oid = %s::regprocedure"
    with connect(shipped) as conn:
        conn.execute(f"alter function {RUNNER} owner to current_user")

        deploy(shipped, shipped_sql_dir())

        assert conn.execute(owner, [RUNNER]).fetchone() == ("supervisor_statement",)


def test_privileges_are_kept_after_functions_were_created_again(
    empty_database: str, sql_dir: Path, ask: Ask
) -> None:
    deploy(empty_database, sql_dir)
    path = "functions/api/query_sum.sql"
    write(sql_dir, {path: SAMPLE[path].replace("7 days", "30 days")})

    deploy(empty_database, sql_dir)

    privilege = "select has_function_privilege(%s, 'api.query_sum(text, interval)', 'execute')"
    assert ask(privilege, "supervisor_app") == [(True,)]
    assert ask(privilege, "supervisor_analyst") == [(False,)]
