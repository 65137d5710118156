"""Migrations: in order, once, immutable."""

from __future__ import annotations

from pathlib import Path

import pytest

from supervisor_mcp.deploy import DeployError, deploy
from supervisor_mcp.deploy.lockfile import differences, extend, main
from tests.deploy.conftest import Ask
from tests.deploy.sample import write


def test_edited_one_is_refused_by_name(empty_database: str, sql_dir: Path) -> None:
    deploy(empty_database, sql_dir)
    with (sql_dir / "migrations/0002_sample.sql").open("a") as file:
        file.write("-- a word more\n")

    with pytest.raises(DeployError, match=r"0002_sample\.sql was edited.*into a new migration"):
        deploy(empty_database, sql_dir)


def test_missing_one_that_ran_is_refused_by_name(empty_database: str, sql_dir: Path) -> None:
    deploy(empty_database, write(sql_dir, {"migrations/0003_last.sql": "select 1;"}))
    (sql_dir / "migrations/0003_last.sql").unlink()

    with pytest.raises(DeployError, match=r"has run migrations/0003_last\.sql here, .* lacks"):
        deploy(empty_database, sql_dir)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("0004_gap.sql", r"0004_gap\.sql is out of order, migration 0003 is next"),
        ("0002_twice.sql", r"0002_twice\.sql is out of order, migration 0003 is next"),
        ("3_short.sql", r"3_short\.sql is not named NNNN_<what>\.sql"),
        ("0003-Dash.sql", r"0003-Dash\.sql is not named NNNN_<what>\.sql"),
    ],
)
def test_number_or_name_out_of_order_is_refused(
    empty_database: str, sql_dir: Path, ask: Ask, name: str, message: str
) -> None:
    write(sql_dir, {f"migrations/{name}": "select 1;"})

    with pytest.raises(DeployError, match=message):
        deploy(empty_database, sql_dir)

    assert ask("select from pg_namespace where nspname = 'deploy'") == []


def test_ledger_row_is_there_when_the_migration_runs(
    empty_database: str, sql_dir: Path, ask: Ask
) -> None:
    text = "create table data.seen as select name from deploy.migration;"
    write(sql_dir, {"migrations/0003_look.sql": text})

    deploy(empty_database, sql_dir)

    assert ("0003_look.sql",) in ask("select name from data.seen")


def test_column_under_a_view_and_a_function_can_change(
    empty_database: str, sql_dir: Path, ask: Ask
) -> None:
    deploy(empty_database, sql_dir)
    write(
        sql_dir,
        {"migrations/0003_short.sql": "alter table data.series alter source type varchar(200);"},
    )

    assert deploy(empty_database, sql_dir).migrations == ("migrations/0003_short.sql",)
    assert ask(
        "select format_type(atttypid, null) from pg_attribute"
        " where attrelid = 'analytics.metrics'::regclass and attname = 'source'"
    ) == [("character varying",)]


def test_lock_takes_new_migrations_only(sql_dir: Path) -> None:
    assert extend(sql_dir) == ["0001_schemas.sql", "0002_sample.sql"]
    write(sql_dir, {"migrations/0003_more.sql": "select 1;"})
    assert differences(sql_dir) == ["0003_more.sql is not in lock.txt"]

    assert extend(sql_dir) == ["0003_more.sql"]

    assert differences(sql_dir) == []


def test_lock_notices_and_keeps_what_was_edited_or_removed(sql_dir: Path) -> None:
    extend(sql_dir)
    before = (sql_dir / "migrations/lock.txt").read_text()
    (sql_dir / "migrations/0002_sample.sql").unlink()
    write(sql_dir, {"migrations/0001_schemas.sql": "select 1;"})

    expected = [
        "0001_schemas.sql was edited after it was locked",
        "0002_sample.sql is in lock.txt but not in migrations/",
    ]
    assert differences(sql_dir) == expected
    with pytest.raises(DeployError, match="add a new migration instead"):
        extend(sql_dir)
    assert (sql_dir / "migrations/lock.txt").read_text() == before


def test_the_command_that_locks_says_what_it_has_locked(
    sql_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["lockfile", str(sql_dir)])
    main()
    main()
    assert capsys.readouterr().out.splitlines() == [
        "locked 0001_schemas.sql",
        "locked 0002_sample.sql",
        "nothing to lock",
    ]
    write(sql_dir, {"migrations/0001_schemas.sql": "select 1;"})
    with pytest.raises(SystemExit, match=r"^0001_schemas\.sql was edited after it was locked"):
        main()
