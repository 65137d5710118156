from __future__ import annotations

import os
import signal
import socket
import subprocess
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.support import command_line
from tests.support.command_line import GONE_SECONDS, Service
from tests.support.processes import alive, descendants
from tests.support.waiting import eventually

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory that the tests of this module use one after the other."""
    return tmp_path_factory.mktemp("up") / "data"


def _count(service: Service, kind: str) -> int:
    answer = httpx.get(f"{service.url}/query/agg", params={"kind": kind, "window": "7d"})
    return int(answer.raise_for_status().json()["count"])


def test_it_says_where_things_are_and_three_commands_to_try(service: Service) -> None:
    assert service.announced["Data"] == service.env["SUPERVISOR_DATA_DIR"]
    assert service.announced["Database"].startswith("postgresql://postgres@127.0.0.1:")
    assert service.announced["Cache"].startswith("unix:")
    assert "keeps others waiting for 10 s" in service.announced["Analysts"]
    tries = service.said.partition("Try:\n")[2].splitlines()
    assert [line.split()[0] for line in tries[:2]] == ["curl", "curl"]
    assert "supervisor-mcp agg" in tries[2]


def test_the_commands_to_try_work_unchanged(service: Service, tmp_path: Path) -> None:
    command_line.install(tmp_path)
    for line in service.said.partition("Try:\n")[2].splitlines():
        done = subprocess.run(
            ["/bin/sh", "-c", line.replace("curl ", "curl --fail-with-body -sS ")],
            env={**command_line.environment(), "PATH": f"{tmp_path}:{os.environ['PATH']}"},
            cwd=tmp_path,
            capture_output=True,
            check=False,
            text=True,
            timeout=30,
        )
        assert done.returncode == 0, line + done.stderr


def test_an_analyst_reads_the_views_and_nothing_else(service: Service) -> None:
    with psycopg.connect(service.analyst_dsn, prepare_threshold=None, autocommit=True) as conn:
        assert conn.execute("select current_user").fetchone() == ("supervisor_analyst",)
        conn.execute("select * from analytics.facts limit 1")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("select * from data.fact limit 1")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_every_process(data_dir: Path, number: signal.Signals) -> None:
    with command_line.up(data_dir) as service:
        below = descendants(service.process.pid)
        # As a terminal does it: to the whole process group.
        os.killpg(service.process.pid, number)
        assert service.process.wait(GONE_SECONDS) == 0
        assert not alive(below)


def test_servers_stop_by_themselves_when_the_command_is_killed_and_the_data_stays(
    data_dir: Path, name: str
) -> None:
    with command_line.up(data_dir) as service:
        below = descendants(service.process.pid)
        assert len(below) >= 5
        item = {"name": name, "source": "me", "value": 1}
        httpx.post(f"{service.url}/ingest/metrics", json=item).raise_for_status()
        os.killpg(service.process.pid, signal.SIGKILL)
        service.process.wait()
        eventually(lambda: not alive(below), "the end of every server", seconds=GONE_SECONDS)
    with command_line.up(data_dir) as service:
        assert _count(service, name) == 1


def test_it_ends_with_a_sentence_when_a_server_dies(data_dir: Path) -> None:
    with command_line.up(data_dir) as service:
        below = descendants(service.process.pid)
        node = next(pid for pid, _ in below if "main.mjs" in _command(pid))
        os.kill(node, signal.SIGKILL)
        assert service.process.wait(GONE_SECONDS) == 1
        assert not alive(below)
    assert "The embedded database ended by itself" in data_dir.with_suffix(".log").read_text()


def test_a_second_one_on_the_same_data_is_refused(service: Service) -> None:
    done = command_line.run("up", env=service.env)
    assert done.returncode == 1
    assert service.env["SUPERVISOR_DATA_DIR"] in done.stderr
    assert "SUPERVISOR_DATA_DIR" in done.stderr
    assert httpx.get(f"{service.url}/livez").is_success


def test_a_taken_port_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = command_line.run(
            "up",
            env={
                "SUPERVISOR_PORT": str(port),
                "SUPERVISOR_DATA_DIR": str(tmp_path / "data"),
            },
        )
    assert done.returncode == 1
    assert f"Port {port} on 127.0.0.1" in done.stderr
    assert "SUPERVISOR_PORT" in done.stderr
    assert not (tmp_path / "data").exists()


def test_a_database_and_a_redis_that_are_given_replace_the_embedded_ones(
    service: Service, tmp_path: Path, name: str
) -> None:
    given = {
        "SUPERVISOR_DATABASE_URL": service.announced["Database"],
        "SUPERVISOR_REDIS_URL": service.announced["Cache"],
    }
    with command_line.up(tmp_path / "data", env=given) as second:
        commands = [_command(pid) for pid, _ in descendants(second.process.pid)]
        assert not any("main.mjs" in line or "valkey" in line for line in commands)
        assert not (tmp_path / "data").exists()
        assert "Analysts" not in second.announced
        item = {"name": name, "source": "me", "value": 1}
        httpx.post(f"{second.url}/ingest/metrics", json=item).raise_for_status()
        assert _count(service, name) == 1


def test_a_database_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    done = command_line.run(
        "up",
        env={
            "SUPERVISOR_DATABASE_URL": "postgresql://me:secret@127.0.0.1:1/none",
            "SUPERVISOR_REDIS_URL": "redis://127.0.0.1:1",
            "SUPERVISOR_PORT": "0",
        },
    )
    assert done.returncode == 1
    assert "SUPERVISOR_DATABASE_URL" in done.stderr
    assert "secret" not in done.stderr


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
