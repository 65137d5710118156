"""The servers and the service, started for a run and ended with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from supervisor_mcp import config
from supervisor_mcp.deploy import deploy, shipped_sql_dir
from supervisor_mcp.embedded import cache, database
from supervisor_mcp.server import launch

START_SECONDS = 30.0


@dataclass(frozen=True)
class Target:
    """Where everything listens: DSN, Redis URL, host and port of the service, and its process."""

    database_url: str
    redis_url: str
    host: str
    port: int
    pid: int
    native: bool

    @property
    def url(self) -> str:
        """Base URL of the service."""
        return f"http://{self.host}:{self.port}"


@contextmanager
def target(folder: Path, workers: int, server_url: str | None = None) -> Iterator[Target]:
    """Run a new database, Valkey and the service, with the jobs of the database off."""
    with (
        timescaledb(folder / "data", server_url) as database_url,
        cache.start(folder / "run") as valkey,
        service(
            database_url,
            valkey.url,
            workers,
            folder / "service.log",
            native=server_url is not None,
        ) as running,
    ):
        yield running


@contextmanager
def timescaledb(data_dir: Path, server_url: str | None) -> Iterator[str]:
    """DSN of a deployed database whose jobs are off: on the embedded server, or on a native one.

    `server_url` is a superuser's DSN. The database is dropped in the end.
    """
    if server_url is None:
        cache_dir = config.load().cache_dir
        with database.start(data_dir, cache_dir=cache_dir, jobs=False) as embedded:
            deploy(embedded.url, shipped_sql_dir())
            yield embedded.url
        return
    name = f"bench_{uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(SQL("create database {} template template0").format(Identifier(name)))
    url = make_conninfo(server_url, dbname=name)
    try:
        deploy(url, shipped_sql_dir())
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(
                "select alter_job(job_id, scheduled => false) from timescaledb_information.jobs"
            )
        yield url
    finally:
        with psycopg.connect(server_url, autocommit=True) as conn:
            conn.execute(SQL("drop database {} with (force)").format(Identifier(name)))


@contextmanager
def service(
    database_url: str,
    redis_url: str,
    workers: int,
    log: Path,
    application: str = launch.APPLICATION,
    *,
    native: bool = False,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Target]:
    """Run an application on these servers, with more settings."""
    environment = {
        "SUPERVISOR_DATABASE_URL": database_url,
        "SUPERVISOR_REDIS_URL": redis_url,
        "SUPERVISOR_WORKERS": str(workers),
        "SUPERVISOR_LOG_LEVEL": "warning",
        # Where `bench.toolbox` is found.
        "PYTHONPATH": str(Path(__file__).parents[1]),
        **(settings or {}),
    }
    with launch.reserve("127.0.0.1", 0) as listener, log.open("wb") as output:
        host, port = listener.getsockname()
        url = f"http://{host}:{port}"
        started = launch.start(listener, url, environment, application=application, log=output)
        with started as server:
            launch.await_readiness(server, seconds=START_SECONDS)
            yield Target(database_url, redis_url, host, port, server.pid, native)
