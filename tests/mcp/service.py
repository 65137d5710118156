"""A real service process for the time of a test."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

START_SECONDS = 60.0
STOP_SECONDS = 30.0


@contextmanager
def service(database_url: str, redis_url: str, *, workers: int) -> Iterator[str]:
    """Run the service with gunicorn and give the URL that it answers at."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [
            *(sys.executable, "-P", "-m", "gunicorn"),
            *("--config", "python:app.gunicorn_config", "app.asgi:create()"),
        ],
        env={
            **os.environ,
            "PYTHONPATH": str(Path.cwd()),
            "SUPERVISOR_DATABASE_URL": database_url,
            "SUPERVISOR_REDIS_URL": redis_url,
            "SUPERVISOR_PORT": str(port),
            "SUPERVISOR_WORKERS": str(workers),
            "SUPERVISOR_LOG_LEVEL": "warning",
        },
    )
    try:
        _await_readiness(process, url)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_readiness(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, f"the service ended with status {process.returncode}"
        try:
            if httpx.get(f"{url}/readyz").is_success:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, "the service was not ready in time"
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
