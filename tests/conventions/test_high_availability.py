"""The configurations of deploy/ha/ suit TimescaleDB and the service, and their programs take them.

The programs get copies in which names, ports and paths are those of the test, with what
docs/high-availability.md adds on each machine. Patroni passes over keys that it doesn't know.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import redis
import trustme
import yaml  # type: ignore[import-untyped]

from tests.conventions.documents import written
from tests.support import debian, haproxy, patroni, pgbouncer, valkey
from tests.support.ports import free_port, is_served
from tests.support.programs import Program, Refused
from tests.support.repository import ROOT
from tests.support.waiting import eventually

PAGE = ROOT / "docs/high-availability.md"
FOLDER = ROOT / "deploy/ha"
HAPROXY, POOLER, DATABASE, CACHE, SENTINEL = (
    (FOLDER / name).read_text(encoding="utf-8")
    for name in ("haproxy.cfg", "pgbouncer.ini", "patroni.yaml", "valkey.conf", "sentinel.conf")
)
PATRONI: dict[str, Any] = yaml.safe_load(DATABASE)
# The default of PostgreSQL.
PARALLEL_WORKERS = 8
MACHINE = {
    "self": "localhost",
    "address": "127.0.0.1",
    "postgres_password": "p",
    "replicator_password": "r",
    "cache_password": "c",
}
Change = tuple[str, str]


def test_every_server_loads_timescaledb() -> None:
    assert PATRONI["postgresql"]["parameters"]["shared_preload_libraries"] == "timescaledb"


def test_commits_wait_for_a_standby() -> None:
    assert PATRONI["bootstrap"]["dcs"]["synchronous_mode"] is True


def test_there_are_processes_for_all_jobs_and_parallel_workers() -> None:
    parameters = PATRONI["bootstrap"]["dcs"]["postgresql"]["parameters"]
    jobs = parameters["timescaledb.max_background_workers"]
    assert parameters["max_worker_processes"] > jobs + PARALLEL_WORKERS


def test_pgbouncer_shares_connections_by_transaction() -> None:
    parser = ConfigParser(interpolation=None)
    parser.read_string(POOLER)
    assert parser["pgbouncer"]["pool_mode"] == "transaction"


def changed(text: str, change: Change) -> str:
    """A text with something replaced that it has."""
    assert change[0] in text
    return text.replace(*change)


def available(program: Callable[[Path], Program], folder: Path) -> Program:
    """A program; without it, the test is skipped."""
    try:
        return program(folder)
    except debian.Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Program:
    return available(haproxy.program, tmp_path_factory.mktemp("haproxy"))


def refused_by_haproxy(proxy: Program, folder: Path, text: str) -> str:
    """What HAProxy has against a configuration; a warning is as bad as an error."""
    certificate = folder / "certificate.pem"
    issued = trustme.CA().issue_cert("supervisor.example")
    issued.private_key_and_cert_chain_pem.write_to_path(certificate)
    text = text.replace("/etc/haproxy/certificate.pem", str(certificate))
    # The user that the package makes; a check doesn't switch to it.
    text = text.replace("user haproxy", "user root").replace("group haproxy", "group root")
    file = folder / "haproxy.cfg"
    file.write_text(re.sub(r"\b(node|db)\d\.example", "127.0.0.1", text), encoding="utf-8")
    return proxy.refusal("-c", "-dW", "-f", str(file), CACHE_PASSWORD="c")


@pytest.mark.server
def test_haproxy_accepts_its_file(proxy: Program, tmp_path: Path) -> None:
    assert refused_by_haproxy(proxy, tmp_path, HAPROXY) == ""


@pytest.mark.server
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("ssl crt", "ssl cert"), "unknown keyword 'cert'"),
        (("option httpchk", "option httpcheck"), "unknown option 'httpcheck'"),
        (("balance first", "balance one"), "balance only supports"),
        (("_backend nodes", "_backend node"), "unable to find required default_backend: 'node'"),
        (("crt /etc", "crt /none/etc"), "unable to stat SSL certificate"),
        (("timeout connect 3s", ""), "missing timeouts"),
    ],
)
def test_haproxy_refuses_what_it_does_not_know(
    proxy: Program, tmp_path: Path, change: Change, problem: str
) -> None:
    assert problem in refused_by_haproxy(proxy, tmp_path, changed(HAPROXY, change))


@pytest.fixture(scope="module")
def supervised(tmp_path_factory: pytest.TempPathFactory) -> Program:
    return available(patroni.program, tmp_path_factory.mktemp("patroni"))


@pytest.fixture(scope="module")
def etcd() -> Iterator[str]:
    """The address of a port that takes connections: Patroni asks no more of etcd."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def refused_by_patroni(supervised: Program, folder: Path, etcd: str, text: str) -> str:
    """What Patroni has against a configuration."""
    programs = folder / "bin"
    programs.mkdir()
    for name in ("pg_ctl", "initdb", "pg_controldata", "pg_basebackup", "postgres", "pg_isready"):
        # Patroni looks whether they are there.
        (programs / name).touch(mode=0o755)
    text = text.replace("/usr/lib/postgresql/17/bin", str(programs))
    text = text.replace("/var/lib/postgresql/17", str(folder / "data"))
    file = folder / "config.yml"
    file.write_text(re.sub(r"\bdb\d\.example:2379", etcd, text), encoding="utf-8")
    variables = {**MACHINE, "self": "db1.example"}
    lines = written(PAGE, "/etc/patroni_env.conf", **variables).splitlines()
    environment = dict(line.split("=", 1) for line in lines)
    return supervised.refusal("--validate-config", "--ignore-listen-port", str(file), **environment)


@pytest.mark.server
def test_patroni_accepts_its_file(supervised: Program, tmp_path: Path, etcd: str) -> None:
    assert refused_by_patroni(supervised, tmp_path, etcd, DATABASE) == ""


@pytest.mark.server
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("scope:", "scopes:"), "scope  is not defined"),
        (("etcd3:", "etcd4:"), "etcd3  is not defined"),
        (("ttl: 20", "ttl: 10"), "bootstrap.dcs.ttl 10 didn't pass validation"),
        (("use_slots: true", "use_slots: always"), "use_slots always is not a boolean"),
        (("superuser:", "superusers:"), "authentication.superuser.username  is not defined"),
        (("processes: 32", "processes: many"), "max_worker_processes many didn't pass"),
    ],
)
def test_patroni_refuses_what_does_not_fit(
    supervised: Program, tmp_path: Path, etcd: str, change: Change, problem: str
) -> None:
    assert problem in refused_by_patroni(supervised, tmp_path, etcd, changed(DATABASE, change))


@pytest.fixture(scope="module")
def pooler(tmp_path_factory: pytest.TempPathFactory) -> Program:
    return available(pgbouncer.program, tmp_path_factory.mktemp("pgbouncer"))


def log_of_pgbouncer(pooler: Program, folder: Path, text: str) -> str:
    """What PgBouncer says of a configuration from its start until it takes connections."""
    (folder / "userlist.txt").touch()
    port = free_port()
    text = text.replace("= 6432", f"= {port}").replace("/etc/pgbouncer", str(folder))
    file, log = folder / "pgbouncer.ini", folder / "pgbouncer.log"
    file.write_text(text, encoding="utf-8")
    with pooler.running(str(file), ready=lambda: is_served(port), log=log):
        return log.read_text()


@pytest.mark.server
def test_pgbouncer_accepts_its_file(pooler: Program, tmp_path: Path) -> None:
    log = log_of_pgbouncer(pooler, tmp_path, POOLER)
    assert [line for line in log.splitlines() if " LOG " not in line] == []


@pytest.mark.server
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("pool_mode", "pooling"), "unknown parameter: pgbouncer/pooling"),
        (("tcp_keepcnt = 3", "tcp_keepcnt = few"), 'invalid value "few"'),
        (("host=", "hosts="), "unrecognized connection parameter: hosts"),
    ],
)
def test_pgbouncer_refuses_what_it_does_not_know(
    pooler: Program, tmp_path: Path, change: Change, problem: str
) -> None:
    with pytest.raises(Refused, match=problem):
        log_of_pgbouncer(pooler, tmp_path, changed(POOLER, change))


def machine_file(folder: Path, name: str, text: str) -> Path:
    """A file of /etc/valkey as it is on a machine."""
    file = folder / name
    file.write_text(text + written(PAGE, f"/etc/valkey/{name}", **MACHINE), encoding="utf-8")
    return file


@pytest.mark.server
def test_a_sentinel_watches_a_valkey_with_their_files(tmp_path: Path) -> None:
    with valkey.configured(machine_file(tmp_path, "valkey.conf", CACHE)) as port:
        watching = changed(SENTINEL, ("db1.example 6379", f"127.0.0.1 {port}"))
        file = machine_file(tmp_path, "sentinel.conf", watching)
        with (
            valkey.configured(file, "--sentinel") as own,
            redis.Redis(port=own, decode_responses=True) as sentinel,
        ):

            def seen() -> bool:
                found = sentinel.sentinel_master("supervisor")
                # It learns the identity only with the password.
                return bool(found["runid"]) and found["flags"] == "master"

            eventually(seen, "the Valkey that the Sentinel sees")


@pytest.mark.server
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (('save ""', 'saves ""'), "Bad directive"),
        (("allkeys-lru", "allkeys-last"), "must be one of the following"),
        (("256mb", "256 mb"), "wrong number of arguments"),
    ],
)
def test_valkey_refuses_what_it_does_not_know(tmp_path: Path, change: Change, problem: str) -> None:
    file = machine_file(tmp_path, "valkey.conf", changed(CACHE, change))
    with pytest.raises(Refused, match=problem), valkey.configured(file):
        pass


@pytest.mark.server
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("parallel-syncs", "parallel-sync"), "Unrecognized sentinel configuration statement"),
        (("6379 2", "6379 two"), "Quorum must be 1 or greater"),
        (("down-after-milliseconds supervisor", "down-after-milliseconds other"), "No such master"),
    ],
)
def test_a_sentinel_refuses_what_it_does_not_know(
    tmp_path: Path, change: Change, problem: str
) -> None:
    text = changed(SENTINEL, change).replace("db1.example", "127.0.0.1")
    file = machine_file(tmp_path, "sentinel.conf", text)
    with pytest.raises(Refused, match=problem), valkey.configured(file, "--sentinel"):
        pass
