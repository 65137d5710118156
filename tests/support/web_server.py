"""The web server on databases that a test gives it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from supervisor_mcp.server import launch
from supervisor_mcp.server.launch import WebServer

START_SECONDS = 60.0


@contextmanager
def start(
    database_url: str,
    redis_url: str | None,
    log: Path,
    *,
    workers: int = 2,
    settings: Mapping[str, str] | None = None,
    ready: int = 200,
) -> Iterator[WebServer]:
    """Run the web server; its log goes to `log`. `ready` is the status of /readyz to wait for."""
    environment = {
        "SUPERVISOR_DATABASE_URL": database_url,
        "SUPERVISOR_WORKERS": str(workers),
        # No test talks to a host that its input names.
        "SUPERVISOR_PROBE": "false",
        "SUPERVISOR_DELIVERY": "false",
        "SUPERVISOR_KEY_SECRET": "0123456789abcdef0123456789abcdef",
        **({} if redis_url is None else {"SUPERVISOR_REDIS_URL": redis_url}),
        **(settings or {}),
    }
    listener = launch.reserve("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with log.open("wb") as output, listener:
        started = launch.start(listener, url, environment, log=output)
    with started as server:
        try:
            launch.await_readiness(server, seconds=START_SECONDS, status=ready)
        except (ChildProcessError, TimeoutError) as error:
            raise AssertionError(log.read_text()[-3000:]) from error
        yield server
