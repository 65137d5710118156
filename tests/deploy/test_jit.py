"""Plans are not compiled: an aggregate would wait for that longer than it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from supervisor_mcp.deploy import deploy, shipped_sql_dir
from tests.deploy.conftest import Ask
from tests.deploy.sample import write

FRAME = "migrations/0001_frame.sql"
CHOSEN = """
select setting
from pg_db_role_setting
cross join lateral unnest(setconfig) as setting
where
    setdatabase = (select oid from pg_database where datname = current_database())
    and setrole = 0
"""


@pytest.fixture
def sql_dir(tmp_path: Path) -> Path:
    return write(tmp_path / "sql", {FRAME: (shipped_sql_dir() / FRAME).read_text()})


def test_the_first_deploy_turns_jit_off(empty_database: str, sql_dir: Path, ask: Ask) -> None:
    deploy(empty_database, sql_dir)
    assert ask(CHOSEN) == [("jit=off",)]


def test_what_somebody_has_chosen_before_stays(
    empty_database: str, sql_dir: Path, ask: Ask
) -> None:
    ask("do $$ begin execute format('alter database %I set jit = on', current_database()); end $$")
    deploy(empty_database, sql_dir)
    assert ask(CHOSEN) == [("jit=on",)]
