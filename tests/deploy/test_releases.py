"""Releases in their order: an older one changes nothing that a newer one has deployed."""

from __future__ import annotations

from pathlib import Path

import pytest

from supervisor_mcp.deploy import DeployError, Older, Report, deploy
from tests.deploy.conftest import Ask
from tests.deploy.sample import SAMPLE, write

SUM = "functions/api/query_sum.sql"
NEWER_SUM = SAMPLE[SUM].replace("'sum', internal", "'total', internal")
ADDITIVE = "-- More.\n-- Additive: a table that nothing reads.\ncreate table data.more (x integer);"


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The sample of a newer release."""
    return write(tmp_path / "newer", SAMPLE | {SUM: NEWER_SUM})


def deployed(ask: Ask) -> list[str]:
    return [row[0] for row in ask("select version from deploy.release order by release_id")]


@pytest.mark.parametrize("version", ["0.9.0", "0.10.0rc1", "0.10.0.dev3"])
def test_older_release_is_refused(
    empty_database: str, sql_dir: Path, newer: Path, ask: Ask, version: str
) -> None:
    deploy(empty_database, newer, version="0.10.0")

    with pytest.raises(
        DeployError,
        match=r"release 0\.10\.0 has deployed this database, and this is release 0\."
        r".*deploy release 0\.10\.0 or a newer one, or go back with .*--allow-older",
    ):
        deploy(empty_database, sql_dir, version=version)

    assert ask("select api.query_sum('x') ? 'total'") == [(True,)]


def test_older_service_leaves_what_a_newer_release_deployed(
    empty_database: str, sql_dir: Path, newer: Path, ask: Ask
) -> None:
    write(newer, {"migrations/0003_more.sql": ADDITIVE})
    deploy(empty_database, newer, version="0.2")

    report = deploy(empty_database, sql_dir, version="0.1", older=Older.LEAVE)

    assert not report.changed
    assert report.kept == ("kept: release 0.2 has deployed this database, and this is release 0.1",)
    assert ask("select api.query_sum('x') ? 'total'") == [(True,)]
    assert deployed(ask) == ["0.2"]


def test_going_back_puts_back_functions_when_asked(
    empty_database: str, sql_dir: Path, newer: Path, ask: Ask
) -> None:
    write(newer, {"migrations/0003_more.sql": ADDITIVE})
    deploy(empty_database, newer, version="0.2")

    report = deploy(empty_database, sql_dir, version="0.1", older=Older.DEPLOY)

    assert report.code == (SUM,)
    assert ask("select api.query_sum('x') ? 'sum'") == [(True,)]
    assert deployed(ask) == ["0.2", "0.1"]
    assert deploy(empty_database, sql_dir, version="0.1") == Report()
    assert deploy(empty_database, newer, version="0.2").code == (SUM,)


@pytest.mark.parametrize("older", list(Older))
def test_older_release_cannot_work_with_a_migration_that_is_not_additive(
    empty_database: str, sql_dir: Path, newer: Path, older: Older
) -> None:
    write(newer, {"migrations/0003_more.sql": "select 1;\n-- Additive: too late, below a line."})
    deploy(empty_database, newer, version="0.2")

    with pytest.raises(
        DeployError,
        match=r"release 0\.2 has run migrations/0003_more\.sql here, which release 0\.1 lacks and"
        r" cannot work with: start release 0\.2 or a newer one",
    ):
        deploy(empty_database, sql_dir, version="0.1", older=older)


def test_same_version_with_changed_files_is_deployed(
    empty_database: str, sql_dir: Path, newer: Path
) -> None:
    deploy(empty_database, sql_dir, version="0.1")

    assert deploy(empty_database, newer, version="0.1").code == (SUM,)


def test_newer_release_without_a_change_is_recorded(
    empty_database: str, sql_dir: Path, newer: Path, ask: Ask
) -> None:
    deploy(empty_database, sql_dir, version="0.1")

    assert deploy(empty_database, sql_dir, version="0.3") == Report()

    assert deployed(ask) == ["0.1", "0.3"]
    with pytest.raises(DeployError, match=r"release 0\.3 has deployed"):
        deploy(empty_database, newer, version="0.2")


def test_older_release_with_the_same_files_has_nothing_to_do(
    empty_database: str, sql_dir: Path
) -> None:
    deploy(empty_database, sql_dir, version="0.2")

    assert deploy(empty_database, sql_dir, version="0.1") == Report()


def test_digest_of_a_release_is_recorded(
    empty_database: str, sql_dir: Path, newer: Path, ask: Ask
) -> None:
    deploy(empty_database, sql_dir, version="0.1")
    deploy(empty_database, newer, version="0.1")

    assert ask("select count(distinct sha256) from deploy.release") == [(2,)]
