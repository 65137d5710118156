from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from pydantic import SecretStr

from supervisor_mcp import embedded
from supervisor_mcp.cli import up
from supervisor_mcp.cli.failure import Failure
from supervisor_mcp.config import Settings
from tests.support import command_line
from tests.support.command_line import GONE_SECONDS, Service
from tests.support.data_directories import DataDirectories
from tests.support.processes import alive, descendants, is_alive
from tests.support.waiting import eventually

pytestmark = pytest.mark.server

START_SECONDS = 60.0


@dataclass
class Ups:
    """One `up` after the other on one data directory; a test takes over what the last one left."""

    data_dir: Path
    services: ExitStack
    running: Service | None = None

    def one(self, **settings: str) -> Service:
        """A running one, which is new with settings or where the last one has ended."""
        if settings or self.running is None or self.running.process.poll() is not None:
            self.running = self.services.enter_context(command_line.up(self.data_dir, env=settings))
        return self.running


@pytest.fixture(scope="module")
def ups(tmp_path_factory: pytest.TempPathFactory, prepared: DataDirectories) -> Iterator[Ups]:
    data_dir = tmp_path_factory.mktemp("up") / "data"
    prepared.deployed(data_dir)
    with ExitStack() as services:
        yield Ups(data_dir, services)


@pytest.fixture
def own(ups: Ups) -> Service:
    """A service that the test may kill, or servers of it."""
    return ups.one()


def _pids(service: Service, command: str) -> set[int]:
    return {pid for pid, _ in descendants(service.process.pid) if command in _command(pid)}


def _kill(service: Service, command: str) -> None:
    for pid in _pids(service, command):
        os.kill(pid, signal.SIGKILL)


def _readiness(service: Service) -> tuple[int, str]:
    try:
        answer = httpx.get(f"{service.url}/readyz", timeout=15)
    except httpx.TransportError as error:
        return 0, str(error)
    return answer.status_code, answer.json()["status"]


def _ingest(service: Service, kind: str) -> None:
    item = {"name": kind, "source": "me", "value": 1}
    httpx.post(f"{service.url}/ingest/metrics", json=item).raise_for_status()


def _count(service: Service, kind: str) -> int:
    answer = httpx.get(f"{service.url}/query/agg", params={"kind": kind, "window": "7d"})
    return int(answer.raise_for_status().json()["count"])


def test_it_says_where_things_are_and_commands_to_try(service: Service) -> None:
    assert service.announced["Data"] == service.env["SUPERVISOR_DATA_DIR"]
    assert service.announced["Access"].startswith("authentication is off: ")
    assert "SUPERVISOR_AUTHENTICATION=on" in service.announced["Access"]
    assert service.announced["Database"].startswith("postgresql://postgres@127.0.0.1:")
    assert service.announced["Cache"].startswith("unix:///")
    assert "keeps others waiting for 10 s" in service.announced["Analysts"]
    tries = service.said.partition("Try:\n")[2].splitlines()
    assert [line.split()[0] for line in tries[:2]] == ["curl", "curl"]
    assert tries[2].endswith("supervisor-mcp servers")
    assert "supervisor-mcp agg" in tries[3]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            Settings(),
            "authentication is off: any program on this machine may do anything;"
            " SUPERVISOR_AUTHENTICATION=on turns it on",
        ),
        (
            Settings(authentication="on"),
            "authentication is on; SUPERVISOR_ADMIN_KEY is not set",
        ),
        (Settings(authentication="on", admin_key=SecretStr("k" * 32)), "authentication is on"),
    ],
)
def test_it_says_who_may_do_what(settings: Settings, said: str) -> None:
    assert up.access(settings) == said


def test_commands_to_try_have_a_key_where_one_is_needed_and_the_url_where_it_is_unusual() -> None:
    assert up.examples(Settings(), "http://127.0.0.1:8080")[1:] == [
        "curl 'http://127.0.0.1:8080/query/agg?kind=queue_depth&window=7d'",
        "supervisor-mcp servers",
        "supervisor-mcp agg queue_depth --window 7d",
    ]
    first, *_, last = up.examples(Settings(authentication="on"), "http://127.0.0.1:80")
    assert first == (
        'curl -H "X-API-Key: $SUPERVISOR_API_KEY" http://127.0.0.1:80/ingest/metrics'
        """ --json '{"name": "queue_depth", "source": "me", "value": 3}'"""
    )
    assert last == ("SUPERVISOR_URL=http://127.0.0.1:80 supervisor-mcp agg queue_depth --window 7d")


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


def test_a_taken_port_of_the_database_is_a_warning_with_the_port_in_use(
    tmp_path: Path, prepared: DataDirectories
) -> None:
    data_dir = tmp_path / "data"
    prepared.deployed(data_dir)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with command_line.up(data_dir, env={"SUPERVISOR_EMBEDDED_PORT": port}) as service:
            used = urlsplit(service.announced["Database"]).port
            log = data_dir.with_suffix(".log").read_text()
    assert f"port {port} is taken" in log
    assert f"listens on port {used}" in log


def test_any_free_port_of_the_database_is_no_warning(service: Service) -> None:
    assert service.env["SUPERVISOR_EMBEDDED_PORT"] == "0"
    assert "is taken" not in _log(service)


def test_jobs_run_once_it_is_ready(service: Service) -> None:
    with psycopg.connect(service.announced["Database"], autocommit=True) as conn:
        conn.prepare_threshold = None
        ran = (
            "select count(*) > 0 from timescaledb_information.jobs"
            " where proc_name = 'evaluate_alerts' and next_start > initial_start"
        )
        eventually(lambda: conn.execute(ran).fetchone() == (True,), seconds=START_SECONDS)


def test_an_analyst_reads_the_views_and_nothing_else(service: Service) -> None:
    with psycopg.connect(service.analyst_dsn, prepare_threshold=None, autocommit=True) as conn:
        assert conn.execute("select current_user").fetchone() == ("supervisor_analyst",)
        conn.execute("select * from analytics.facts limit 1")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("select * from data.fact limit 1")


def test_servers_stop_by_themselves_when_the_command_is_killed_and_the_data_stays(
    own: Service, ups: Ups, name: str
) -> None:
    below = descendants(own.process.pid)
    assert len(below) >= 5
    _ingest(own, name)
    os.killpg(own.process.pid, signal.SIGKILL)
    own.process.wait()
    eventually(lambda: not alive(below), "the end of every server", seconds=GONE_SECONDS)
    assert _count(ups.one(), name) == 1


def test_it_starts_at_once_after_it_was_killed_on_the_same_port_and_data(
    own: Service, ups: Ups, name: str
) -> None:
    _ingest(own, name)
    os.killpg(own.process.pid, signal.SIGKILL)
    own.process.wait()
    port = own.url.rpartition(":")[2]
    again = ups.one(SUPERVISOR_PORT=port)
    assert again.url.endswith(port)
    assert _count(again, name) == 1


def test_a_killed_database_is_started_again_with_every_acknowledged_row(
    own: Service, name: str
) -> None:
    _ingest(own, name)
    workers = _pids(own, "server.launch")
    _kill(own, "main.mjs")
    eventually(lambda: _readiness(own) != (200, "ready"))
    eventually(lambda: _readiness(own) == (200, "ready"), seconds=START_SECONDS)
    assert _count(own, name) == 1
    _ingest(own, name)
    assert _count(own, name) == 2
    assert _pids(own, "server.launch") == workers
    with psycopg.connect(own.announced["Database"]) as conn:
        assert conn.execute("select 1").fetchone() == (1,)
    found = embedded.running(Path(own.env["SUPERVISOR_DATA_DIR"]))
    assert found is not None
    assert found.database_url == own.announced["Database"]


def test_a_killed_valkey_is_started_again_and_answers_stay_right(own: Service, name: str) -> None:
    _ingest(own, name)
    assert _count(own, name) == 1
    _kill(own, "valkey")
    _ingest(own, name)
    assert _count(own, name) == 2
    eventually(lambda: _readiness(own) == (200, "ready"), seconds=START_SECONDS)
    assert _count(own, name) == 2
    _ingest(own, name)
    assert _count(own, name) == 3


def test_a_killed_web_server_is_started_again_and_its_workers_end(own: Service) -> None:
    before = _pids(own, "server.launch")
    os.kill(min(before), signal.SIGKILL)
    eventually(lambda: not any(is_alive(pid) for pid in before), seconds=START_SECONDS)
    eventually(lambda: _readiness(own) == (200, "ready"), seconds=START_SECONDS)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_every_process(own: Service, number: signal.Signals) -> None:
    below = descendants(own.process.pid)
    # As a terminal does it: to the whole process group.
    os.killpg(own.process.pid, number)
    assert own.process.wait(GONE_SECONDS) == 0
    assert not alive(below)


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


def test_a_port_that_is_free_again_within_seconds_is_taken() -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    freeing = Timer(0.3, taken.close)
    freeing.start()
    with up.reserve(Settings(port=port)) as listener:
        assert listener.getsockname()[1] == port
    freeing.join()


def test_an_address_of_another_machine_is_refused_at_once() -> None:
    began = time.monotonic()
    with pytest.raises(Failure, match=r"Port 0 on 192\.0\.2\.1 is not available"):
        up.reserve(Settings(host="192.0.2.1", port=0, authentication="on"))
    assert time.monotonic() - began < up.RESERVE_SECONDS - 1


@pytest.fixture(scope="module")
def second(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that is given the database and the Redis of another one."""
    given = {
        "SUPERVISOR_DATABASE_URL": service.announced["Database"],
        "SUPERVISOR_REDIS_URL": service.announced["Cache"],
    }
    with command_line.up(tmp_path_factory.mktemp("second") / "data", env=given) as started:
        yield started


def test_a_database_and_a_redis_that_are_given_replace_the_embedded_ones(
    service: Service, second: Service, name: str
) -> None:
    commands = [_command(pid) for pid, _ in descendants(second.process.pid)]
    assert not any("main.mjs" in line or "valkey" in line for line in commands)
    assert not Path(second.env["SUPERVISOR_DATA_DIR"]).exists()
    assert "Analysts" not in second.announced
    _ingest(second, name)
    assert _count(service, name) == 1


@pytest.fixture
def separated(service: Service) -> Iterator[dict[str, str]]:
    """Settings of a service with a login of its own, on the database of another one."""
    owner = service.announced["Database"]
    with psycopg.connect(owner, prepare_threshold=None, autocommit=True) as conn:
        conn.execute("create role serving login")
    yield {
        "SUPERVISOR_DATABASE_URL": owner.replace("postgres@", "serving@"),
        "SUPERVISOR_DEPLOY_DATABASE_URL": owner,
        "SUPERVISOR_REDIS_URL": service.announced["Cache"],
    }
    with psycopg.connect(owner, prepare_threshold=None, autocommit=True) as conn:
        conn.execute("drop role serving")


def test_a_service_with_a_login_of_its_own_does_not_have_that_of_the_owner(
    separated: dict[str, str], tmp_path: Path, name: str
) -> None:
    log = tmp_path / "data.log"
    with command_line.up(tmp_path / "data", env=separated) as service:
        _ingest(service, name)
        assert _count(service, name) == 1
        workers = _pids(service, "server.launch")
        assert len(workers) >= 2
        for pid in workers:
            environment = Path(f"/proc/{pid}/environ").read_bytes()
            assert b"serving@" in environment
            assert b"DEPLOY_DATABASE_URL" not in environment
    assert "owns the schema" not in log.read_text()

    # What the deploy granted lasts; the owner's login is not needed any more.
    del separated["SUPERVISOR_DEPLOY_DATABASE_URL"]
    with command_line.up(tmp_path / "data", "--no-deploy", env=separated) as service:
        assert _count(service, name) == 1
    refused = command_line.run("up", env={**separated, "SUPERVISOR_PORT": "0"})
    assert refused.returncode == 1
    assert 'The login "serving" may not deploy' in refused.stderr
    assert "--no-deploy" in refused.stderr


def test_a_service_that_logs_in_as_the_owner_says_so_once(
    service: Service, second: Service
) -> None:
    log = _log(second)
    assert log.count("owns the schema") == 1
    assert "SUPERVISOR_DEPLOY_DATABASE_URL" in log
    assert "owns the schema" not in _log(service)


def _log(service: Service) -> str:
    return Path(service.env["SUPERVISOR_DATA_DIR"]).with_suffix(".log").read_text()


def test_the_login_of_a_deploy_alone_is_refused(tmp_path: Path) -> None:
    done = command_line.run(
        "deploy", env={"SUPERVISOR_DEPLOY_DATABASE_URL": "postgresql://127.0.0.1:1/none"}
    )
    assert done.returncode == 2
    assert "SUPERVISOR_DATABASE_URL is not" in done.stderr


def test_a_database_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    done = command_line.run(
        "up",
        env={
            "SUPERVISOR_DATABASE_URL": "postgresql://me:secret@127.0.0.1:1/none",
            "SUPERVISOR_REDIS_URL": "redis://127.0.0.1:1",
            "SUPERVISOR_PORT": "0",
            "SUPERVISOR_DATABASE_WAIT_SECONDS": "0",
        },
    )
    assert done.returncode == 1
    assert "SUPERVISOR_DATABASE_URL" in done.stderr
    assert "secret" not in done.stderr


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
