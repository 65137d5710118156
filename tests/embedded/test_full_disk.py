from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor_mcp.embedded import database
from supervisor_mcp.embedded.errors import StartFailed
from tests.embedded.conftest import connect


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 200 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(mount, check=False, capture_output=True).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("mounting a small disk takes root")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path, *, leave: int = 0) -> Path:
    filler = disk / "filler"
    free = os.statvfs(disk)
    filler.write_bytes(bytes(free.f_bavail * free.f_frsize - leave))
    return filler


def test_a_full_disk_ends_a_start_with_a_sentence_and_harms_no_data(
    template: Path, small: Path, cache_dir: Path
) -> None:
    data_dir = small / "data"
    database.clone(template, data_dir)
    with database.start(data_dir, cache_dir=cache_dir, jobs=False) as server:
        with connect(server.url) as client:
            client.execute("create table kept as select i from generate_series(1, 50000) i")
        os.kill(server.pid, signal.SIGKILL)
    filler = fill(small)
    with pytest.raises(StartFailed) as caught:
        database.start(data_dir, cache_dir=cache_dir, jobs=False)
    said = str(caught.value)
    assert "No space left on device" in said
    assert "Free space and start again" in said
    assert "    at " not in said
    assert "move it away" not in said
    filler.unlink()
    with (
        database.start(data_dir, cache_dir=cache_dir, jobs=False) as server,
        connect(server.url) as client,
    ):
        assert client.execute("select count(*) from kept").fetchone() == (50_000,)


@pytest.mark.server
def test_a_first_start_on_a_full_disk_leaves_nothing_that_prevents_the_next(
    small: Path, cache_dir: Path
) -> None:
    data_dir = small / "data"
    filler = fill(small, leave=20 * 1024 * 1024)
    with pytest.raises(StartFailed, match="has no room for 64 MB"):
        database.start(data_dir, cache_dir=cache_dir, jobs=False)
    filler.unlink()
    with database.start(data_dir, cache_dir=cache_dir, jobs=False):
        pass
