"""What a new cluster holds, and how it is made."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from supervisor_mcp.embedded import database
from supervisor_mcp.embedded.errors import StartFailed
from tests.embedded.conftest import is_shut_down
from tests.support.waiting import eventually

NEW_CLUSTER_BYTES = 17_000_000


def test_a_new_cluster_holds_only_the_database_that_clients_reach(
    client: psycopg.Connection,
) -> None:
    assert client.execute("select datname from pg_database").fetchall() == [("postgres",)]


def test_a_new_cluster_takes_17_mb(template: Path) -> None:
    sizes = [path.stat().st_size for path in template.rglob("*") if path.is_file()]
    assert sum(sizes) < NEW_CLUSTER_BYTES


def test_a_cluster_is_shut_down_when_its_server_has_stopped(template: Path) -> None:
    assert is_shut_down(template)


def test_a_half_made_cluster_is_made_again_and_has_no_final_name(
    tmp_path: Path, cache_dir: Path
) -> None:
    fresh = tmp_path / "pgdata.new"
    fresh.mkdir()
    (fresh / "PG_VERSION").write_text("17\n")
    (fresh / "left").write_text("")
    (tmp_path / "pgdata").mkdir()

    def is_made_again() -> bool:
        return (fresh / "PG_VERSION").exists() and not (fresh / "left").exists()

    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(database.start, tmp_path, cache_dir=cache_dir, jobs=False)
        pid = eventually(lambda: database.running_pid(tmp_path) or 0)
        eventually(is_made_again)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(StartFailed):
            starting.result()
    assert list((tmp_path / "pgdata").iterdir()) == []
