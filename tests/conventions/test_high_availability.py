"""The configurations of deploy/ha/ have what TimescaleDB and the service need."""

from __future__ import annotations

from configparser import ConfigParser
from typing import Any

import yaml  # type: ignore[import-untyped]

from tests.support.repository import ROOT

FOLDER = ROOT / "deploy/ha"
PATRONI: dict[str, Any] = yaml.safe_load((FOLDER / "patroni.yaml").read_text(encoding="utf-8"))
# The default of PostgreSQL.
PARALLEL_WORKERS = 8


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
    parser.read(FOLDER / "pgbouncer.ini")
    assert parser["pgbouncer"]["pool_mode"] == "transaction"
