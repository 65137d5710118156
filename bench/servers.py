"""The embedded servers and the service, started for a run and ended with it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from app import config
from app.deploy import deploy, shipped_sql_dir
from app.embedded import cache, database

APPLICATION = "app.asgi:create()"
START_SECONDS = 30.0


@dataclass(frozen=True)
class Stand:
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
def stand(folder: Path, workers: int) -> Iterator[Stand]:
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
    database_url: str, redis_url: str, workers: int, log: Path, application: str = APPLICATION
) -> Iterator[Stand]:
    """Run an application on these servers."""
    port = _free_port()
    environment = {
        **os.environ,
        "SUPERVISOR_DATABASE_URL": database_url,
        "SUPERVISOR_REDIS_URL": redis_url,
        "SUPERVISOR_PORT": str(port),
        "SUPERVISOR_WORKERS": str(workers),
        "SUPERVISOR_LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-m", "gunicorn", "--config", "python:app.gunicorn_config"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, application], env=environment, stdout=output, stderr=output
        )
    try:
        _await(f"http://127.0.0.1:{port}/readyz", process, log)
        yield Stand(database_url, redis_url, "127.0.0.1", port)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _await(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the service did not start: {log.read_text()[-2000:]}")
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
