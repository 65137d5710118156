"""The wheel in an environment of its own, far from this checkout."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import time
import zipfile
from pathlib import Path

import httpx
import pytest

from tests.support import command_line
from tests.support.processes import alive, descendants
from tests.support.repository import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    _run("-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """supervisor-mcp from the wheel in a fresh environment, which borrows our dependencies."""
    home = tmp_path_factory.mktemp("venv")
    _run("-m", "venv", "--without-pip", str(home))
    own = home / "bin" / "python"
    _run("-m", "uv", "pip", "install", "--python", str(own), "--no-deps", "--no-index", str(wheel))
    # A folder named in a .pth file is searched last, and its own .pth files are not followed: the
    # checkout that may be installed there stays out.
    (packages,) = home.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return home / "bin" / "supervisor-mcp"


def test_it_carries_what_it_needs_at_run_time(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "app", "sql"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout.split()
    expected = {
        name.removeprefix("app/") if name.startswith("app/") else f"supervisor_mcp/{name}"
        for name in tracked
    }
    assert expected - names == set()
    assert not any(name.startswith(("tests/", "bench/", "mutants/")) for name in names)


def test_the_service_runs_from_any_folder(command: Path, tmp_path: Path) -> None:
    # The folder where the command is typed may hold another package of the same name.
    (tmp_path / "supervisor_mcp").mkdir()
    (tmp_path / "supervisor_mcp" / "__init__.py").write_text("raise ImportError")
    with command_line.up(tmp_path / "data", command=(str(command),), cwd=tmp_path) as service:
        items = [
            {"name": "packed", "source": "wheel", "value": n, "ts": time.time() - n} for n in (1, 2)
        ]
        answer = httpx.post(f"{service.url}/ingest/metrics", json=items)
        assert answer.json()["accepted"] == 2
        done = command_line.run(
            "agg",
            "packed",
            "--json",
            env={"SUPERVISOR_URL": service.url},
            command=(str(command),),
        )
        assert json.loads(done.stdout)["sum"] == 3
        below = descendants(service.process.pid)
        service.process.terminate()
        assert service.process.wait(command_line.GONE_SECONDS) == 0
        assert not alive(below)


def _run(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, check=False, text=True, timeout=110
    )
    assert done.returncode == 0, done.stdout + done.stderr
