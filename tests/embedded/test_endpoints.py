from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import psycopg

from supervisor_mcp import embedded
from supervisor_mcp.embedded import cache, database
from tests.embedded.conftest import connect
from tests.support.waiting import eventually


def test_both_servers_start_and_are_found_while_they_run(data_dir: Path, cache_dir: Path) -> None:
    assert embedded.running(data_dir) is None
    with embedded.start(data_dir, cache_dir=cache_dir, jobs=False) as endpoints:
        assert embedded.running(data_dir) == endpoints
        with connect(endpoints.database_url) as connection:
            assert connection.execute("select 1").fetchone() == (1,)
        assert cache.answers(endpoints.redis_url)
    assert embedded.running(data_dir) is None
    assert not (data_dir / "embedded.json").exists()


def test_a_state_file_that_survived_sigkill_is_not_believed(
    data_dir: Path, cache_dir: Path
) -> None:
    with embedded.start(data_dir, cache_dir=cache_dir, jobs=False):
        stale = (data_dir / "embedded.json").read_text()
        os.kill(json.loads(stale)["database_pid"], signal.SIGKILL)
        eventually(lambda: embedded.running(data_dir) is None)
    (data_dir / "embedded.json").write_text(stale)
    assert embedded.running(data_dir) is None
    with database.start(data_dir, cache_dir=cache_dir, jobs=False), cache.start(data_dir):
        assert embedded.running(data_dir) is None


def test_a_damaged_state_file_is_not_believed(data_dir: Path, cache_dir: Path) -> None:
    with embedded.start(data_dir, cache_dir=cache_dir, jobs=False):
        for damaged in ("", "[]", "{}", '"x"', '{"database_url": 1'):
            (data_dir / "embedded.json").write_text(damaged)
            assert embedded.running(data_dir) is None


def test_data_is_there_again_at_the_next_start(data_dir: Path, cache_dir: Path) -> None:
    with database.start(data_dir, cache_dir=cache_dir) as server, connect(server.url) as client:
        client.execute("create table again (ts timestamptz not null, v int)")
        client.execute("select create_hypertable('again', 'ts')")
        client.execute("insert into again values (now(), 1)")
    with database.start(data_dir, cache_dir=cache_dir) as server, connect(server.url) as client:
        client.execute("insert into again values (now(), 2)")
        assert client.execute("select sum(v) from again").fetchone() == (3,)


def test_a_clone_has_the_data_of_its_source(
    data_dir: Path, cache_dir: Path, tmp_path: Path
) -> None:
    with database.start(data_dir, cache_dir=cache_dir) as server, connect(server.url) as client:
        client.execute("create table cloned as select 1 as i")
    database.clone(data_dir, tmp_path / "clone")
    with (
        database.start(tmp_path / "clone", cache_dir=cache_dir) as server,
        psycopg.connect(server.url) as client,
    ):
        assert client.execute("select i from cloned").fetchone() == (1,)
