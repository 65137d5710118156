"""The embedded servers and the service, started for a run and ended with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from supervisor_mcp import config
from supervisor_mcp.deploy import deploy, shipped_sql_dir
from supervisor_mcp.embedded import cache, database
from supervisor_mcp.server import launch

START_SECONDS = 30.0


@dataclass(frozen=True)
class Target:
    """Where everything listens: DSN, Redis URL, host and port of the service."""

    database_url: str
    redis_url: str
    host: str
    port: int

    @property
    def url(self) -> str:
        """Base URL of the service."""
        return f"http://{self.host}:{self.port}"


@contextmanager
def target(folder: Path, workers: int) -> Iterator[Target]:
    """Run TimescaleDB, Valkey and the service on a fresh data directory, jobs off."""
    settings = config.load()
    with (
        database.start(folder / "data", cache_dir=settings.cache_dir, jobs=False) as timescale,
        cache.start(folder / "run") as valkey,
    ):
        deploy(timescale.url, shipped_sql_dir())
        with service(timescale.url, valkey.url, workers, folder / "service.log") as running:
            yield running


@contextmanager
def service(
    database_url: str,
    redis_url: str,
    workers: int,
    log: Path,
    application: str = launch.APPLICATION,
) -> Iterator[Target]:
    """Run an application on these servers."""
    environment = {
        "SUPERVISOR_DATABASE_URL": database_url,
        "SUPERVISOR_REDIS_URL": redis_url,
        "SUPERVISOR_WORKERS": str(workers),
        "SUPERVISOR_LOG_LEVEL": "warning",
        # Where `bench.toolbox` is found.
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    with launch.reserve("127.0.0.1", 0) as listener, log.open("wb") as output:
        place = Target(database_url, redis_url, *listener.getsockname())
        started = launch.start(
            listener, place.url, environment, application=application, log=output
        )
        with started as server:
            launch.await_readiness(server, seconds=START_SECONDS)
            yield place
