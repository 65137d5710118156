"""Policies are applied when their file changes; grants whenever anything does."""

from __future__ import annotations

from pathlib import Path

import pytest

from supervisor_mcp.deploy import deploy, shipped_sql_dir
from tests.deploy.conftest import Ask
from tests.deploy.sample import SAMPLE, write

KEPT = """
select config ->> 'drop_after' from timescaledb_information.jobs
where proc_name = 'policy_retention' and hypertable_name = 'sample'
"""


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


@pytest.mark.parametrize("role", ["supervisor_app", "supervisor_analyst", "supervisor_dba"])
def test_what_a_role_has_lost_is_granted_again(empty_database: str, ask: Ask, role: str) -> None:
    deploy(empty_database, shipped_sql_dir())
    ask(f"drop owned by {role} cascade")
    assert {lost for (lost,) in ask("select role from internal.lost_grants()")} == {role}

    assert "grants.sql" in deploy(empty_database, shipped_sql_dir()).grants

    assert ask("select * from internal.lost_grants()") == []
    assert ask("select to_regprocedure('internal.run_statement(text, integer, integer)')") != [
        (None,)
    ]
    assert not deploy(empty_database, shipped_sql_dir()).changed


def test_what_runs_statements_is_given_to_its_role_again(empty_database: str, ask: Ask) -> None:
    deploy(empty_database, shipped_sql_dir())
    runner = "internal.run_statement(text, integer, integer)"
    ask(f"alter function {runner} owner to current_user")

    deploy(empty_database, shipped_sql_dir())

    owner = f"select proowner::regrole::text from pg_proc where oid = '{runner}'::regprocedure"
    assert ask(owner) == [("supervisor_statement",)]


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
