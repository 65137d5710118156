"""supervisor-mcp mcp: MCP on standard input and output, for clients that start their servers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import anyio

from supervisor_mcp import embedded
from supervisor_mcp.cli import cache_url, console, servers
from supervisor_mcp.cli.client import load_settings
from supervisor_mcp.cli.failure import Failure
from supervisor_mcp.config import Settings
from supervisor_mcp.embedded import Endpoints
from supervisor_mcp.embedded.errors import DataDirectoryInUse, EmbeddedError
from supervisor_mcp.operations import context as operations
from supervisor_mcp.telemetry import log

# The time that another process has from locking the data directory to answering on it.
START_SECONDS = 60.0
# Jobs leave this time to the deploy and the first questions.
JOBS_WAIT_SECONDS = 30.0
POLL_SECONDS = 0.1
WATCH_SECONDS = 1.0


def mcp() -> None:
    """Serve MCP until standard input ends. Raises Failure."""
    settings = load_settings()
    # Standard output is for the protocol alone.
    log.set_up(settings.log_level)
    servers.check_urls(settings)
    cache_url.refuse_unusable(settings.redis_url)
    if settings.database_url is not None:
        servers.key_secret_file(settings, is_embedded=False)
        anyio.run(_serve, settings)
        return
    with _embedded(settings) as endpoints:
        anyio.run(_serve, on_embedded(settings, endpoints))


def on_embedded(settings: Settings, endpoints: Endpoints) -> Settings:
    """The settings for the embedded servers. Raises Failure."""
    return settings.model_copy(
        update={
            "database_url": endpoints.database_url,
            "redis_url": settings.redis_url or endpoints.redis_url,
            "key_secret_file": servers.key_secret_file(settings, is_embedded=True),
            "query_sql_seconds": servers.query_sql_seconds(settings, is_embedded=True),
        }
    )


async def _serve(settings: Settings) -> None:
    from supervisor_mcp.mcp import stdio
    from supervisor_mcp.mcp.server import create_mcp

    async with operations.connected(operations.build(settings)) as context:
        await stdio.serve(create_mcp(context))


@contextmanager
def _embedded(settings: Settings) -> Iterator[Endpoints]:
    """The embedded servers, which this process restarts when the process that ran them ends."""
    with ExitStack() as started:
        endpoints = join_or_start(settings, settings.embedded_port, started)
        servers.prepare_schema(endpoints.database_url)
        done = threading.Event()
        keeper = threading.Thread(target=_keep, args=(settings, endpoints, started, done))
        keeper.start()
        try:
            yield endpoints
        finally:
            done.set()
            keeper.join()


def join_or_start(settings: Settings, port: int, started: ExitStack) -> Endpoints:
    """The servers that run on the data directory, else new ones until `started` ends.

    What another process is starting or stopping is waited for. Raises Failure.
    """
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            endpoints = embedded.running(settings.data_dir)
            if endpoints is not None:
                return endpoints
            return started.enter_context(
                embedded.start(
                    settings.data_dir,
                    cache_dir=settings.cache_dir,
                    registry=settings.npm_registry,
                    port=port,
                    jobs_wait_seconds=JOBS_WAIT_SECONDS,
                    progress=console.say,
                )
            )
        except DataDirectoryInUse as error:
            # Another process is starting or stopping them.
            if time.monotonic() > deadline:
                raise Failure(str(error)) from error
            time.sleep(POLL_SECONDS)
        except EmbeddedError as error:
            raise Failure(str(error)) from error
        except OSError as error:
            raise Failure(f"The data directory cannot be used: {error}.") from error


def _keep(
    settings: Settings, endpoints: Endpoints, started: ExitStack, done: threading.Event
) -> None:
    """Start the servers again, at the same addresses, when they are gone."""
    port = urlsplit(endpoints.database_url).port or 0
    while not done.wait(WATCH_SECONDS):
        if embedded.running(settings.data_dir) is not None:
            continue
        try:
            now = join_or_start(settings, port, started)
        except Failure as failure:
            console.say(failure.detail)
            continue
        if now != endpoints:
            console.say(f"The database moved to {now.database_url}; restart this command.")
            return
