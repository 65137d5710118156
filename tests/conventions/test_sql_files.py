"""What is generated from sql/ agrees with it, and everything in it says what it is."""

from __future__ import annotations

import re

from supervisor_mcp.deploy import deploy, shipped_sql_dir
from supervisor_mcp.deploy.lockfile import differences
from supervisor_mcp.reference import drift, undocumented
from tests.support.repository import ROOT


def test_no_migration_was_changed_since_it_was_locked() -> None:
    assert differences(shipped_sql_dir()) == []


def test_generated_files_are_what_a_deploy_gives(empty_database: str) -> None:
    deploy(empty_database, shipped_sql_dir())

    assert drift(empty_database, ROOT) == ""


def test_everything_has_a_comment(database_url: str) -> None:
    assert undocumented(database_url) == []


def test_no_function_sets_a_setting_of_ours_by_its_options() -> None:
    # Only a superuser could create it: set_config needs no privilege.
    functions = (ROOT / "sql/functions").rglob("*.sql")
    assert [f.name for f in functions if '\nset "supervisor.' in f.read_text()] == []


def test_no_condition_looks_a_name_up() -> None:
    # Of a table without rows, PostgreSQL may never evaluate it: the name would not be refused.
    functions = (ROOT / "sql/functions").rglob("*.sql")
    look_up = re.compile(r"(?<!:)= (any\()?internal\.find_")
    assert [f.name for f in functions if look_up.search(f.read_text())] == []
