"""`export` and `import` of a folder, as an operator types them."""

from __future__ import annotations

import json
from pathlib import Path
from subprocess import CompletedProcess

import httpx
import pytest

from supervisor_mcp.exports import manifest
from tests.support import command_line
from tests.support.command_line import Service
from tests.support.data_directories import DataDirectories


def _import(folder: Path, data_dir: Path, *options: str) -> CompletedProcess[str]:
    env = {"SUPERVISOR_DATA_DIR": str(data_dir), "SUPERVISOR_EMBEDDED_PORT": "0"}
    return command_line.run("import", str(folder), *options, env=env)


def test_what_a_running_service_has_is_served_by_another_one(
    service: Service, prepared: DataDirectories, tmp_path: Path, name: str
) -> None:
    item = {"name": name, "source": "shop", "value": 1.5}
    httpx.post(f"{service.url}/ingest/metrics", json=[item]).raise_for_status()
    copy = tmp_path / "copy"
    prepared.deployed(copy, jobs=False)

    exported = service.run("export", str(tmp_path / "backup"), "--json")
    imported = _import(tmp_path / "backup", copy, "--json")

    assert (exported.returncode, imported.returncode) == (0, 0), imported.stderr
    assert json.loads(imported.stdout) == json.loads(exported.stdout)
    assert "imported before" not in imported.stderr
    with command_line.up(copy, "--no-deploy") as other:
        answer = httpx.get(f"{other.url}/query/agg", params={"kind": name, "window": "24h"})
    assert answer.json()["sum"] == 1.5


def test_an_export_says_how_much_it_has_written(
    service: Service, tmp_path: Path, name: str
) -> None:
    item = {"name": name, "source": "shop", "value": 1.5}
    httpx.post(f"{service.url}/ingest/metrics", json=[item]).raise_for_status()
    folder = tmp_path / "backup"

    exported = service.run("export", str(folder))

    relations = manifest.read(folder).relations
    filled = [each.rows for each in relations if each.rows]
    assert 1 in filled
    assert len(filled) < len(relations)
    assert exported.stdout == (
        f"exported {sum(filled):,} rows of {len(filled)} relations: {folder}\n"
    )


def test_the_login_of_the_owner_exports(service: Service, tmp_path: Path) -> None:
    owner, analyst = service.announced["Database"], service.analyst_dsn
    for number, (env, status) in enumerate(
        [
            ({"SUPERVISOR_DATABASE_URL": owner}, 0),
            ({"SUPERVISOR_DATABASE_URL": analyst, "SUPERVISOR_DEPLOY_DATABASE_URL": owner}, 0),
            ({"SUPERVISOR_DATABASE_URL": analyst}, 1),
        ]
    ):
        done = command_line.run("export", str(tmp_path / str(number)), env=env)
        assert done.returncode == status, done.stderr
    assert "\nThe login may not export everything (permission denied" in done.stderr
    assert "Hint: Set SUPERVISOR_DEPLOY_DATABASE_URL to the DSN of the owner" in done.stderr


def test_a_second_import_says_that_there_is_nothing_to_do(
    service: Service, prepared: DataDirectories, tmp_path: Path
) -> None:
    folder, copy = tmp_path / "backup", tmp_path / "copy"
    prepared.deployed(copy, jobs=False)
    service.run("export", str(folder))

    first, again = (_import(folder, copy) for _ in range(2))

    assert (first.returncode, again.returncode) == (0, 0), first.stderr
    assert first.stdout.startswith("imported ")
    assert again.stdout == ""
    assert f"{folder} was imported before; nothing to do." in again.stderr


def test_a_data_directory_without_a_database_exports_nothing(tmp_path: Path) -> None:
    data_dir = tmp_path / "mistyped"
    env = {"SUPERVISOR_DATA_DIR": str(data_dir)}
    done = command_line.run("export", str(tmp_path / "backup"), env=env)
    assert done.returncode == 1
    assert f"There is no database in {data_dir}." in done.stderr
    assert not data_dir.exists()


@pytest.mark.parametrize(
    ("options", "status", "reason"),
    [
        ((), 1, "is not an export, or not a complete one"),
        (("--kind", "cpu"), 2, "is imported alone and as it is"),
        (("--shift-to-now",), 2, "is imported alone and as it is"),
        (("other.csv",), 2, "is imported alone and as it is"),
    ],
)
def test_a_folder_that_cannot_be_imported_is_refused(
    tmp_path: Path, options: tuple[str, ...], status: int, reason: str
) -> None:
    refused = _import(tmp_path, tmp_path / "data", *options)

    assert refused.returncode == status
    assert reason in refused.stderr
    assert "Hint:" in refused.stderr


def test_an_export_into_a_folder_with_files_is_refused(service: Service, tmp_path: Path) -> None:
    (tmp_path / "mine").touch()

    refused = service.run("export", str(tmp_path))

    assert refused.returncode == 1
    assert "is not empty" in refused.stderr
