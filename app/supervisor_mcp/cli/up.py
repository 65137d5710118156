"""supervisor-mcp up: the service and what it needs, in the foreground."""

from __future__ import annotations

import errno
import logging
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

from rich.text import Text

from supervisor_mcp.cli import cache_url, console, progress, servers
from supervisor_mcp.cli.client import load_settings, local_url
from supervisor_mcp.cli.failure import USAGE, Failure
from supervisor_mcp.cli.restarts import Kept
from supervisor_mcp.cli.servers import Servers
from supervisor_mcp.config import Settings
from supervisor_mcp.embedded import database
from supervisor_mcp.server import launch
from supervisor_mcp.server.exposure import HINT, ExposedError, refuse_exposed_socket
from supervisor_mcp.server.launch import WebServer
from supervisor_mcp.telemetry import log

logger = logging.getLogger(__name__)

START_SECONDS = 60.0
RESERVE_SECONDS = 5.0
WATCH_SECONDS = 0.25
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Stopped(BaseException):
    """A signal asked the command to stop."""


def up(*, deploys: bool) -> None:
    """Start everything, print where it is, and stop it at the end. Raises Failure.

    The schema is deployed first, unless `deploys` says that something else has.
    """
    settings = load_settings()
    log.set_up(settings.log_level)
    with _stoppable(), ExitStack() as stack:
        # The port first: a taken one is reported before the wait for a database.
        listener = stack.enter_context(reserve(settings))
        _refuse_exposure(settings, listener)
        url = local_url(settings.host, listener.getsockname()[1])
        # Its imports take about as long as the start of the database.
        server = stack.enter_context(launch.prepare(listener, url))
        with progress.step("starting", logger.info) as next_step:
            running = stack.enter_context(servers.start(settings, next_step))
            if deploys:
                next_step("deploying the schema")
                servers.prepare_schema(
                    running.database_url, deploy_url=settings.deploy_database_url
                )
            if running.database is None:
                servers.warn_of_owner(running.database_url)
            next_step("starting the web server")
            _serve(server, settings, running)
            kept = stack.enter_context(
                Kept("The web server", server, lambda _: _again(listener, url, settings, running))
            )
            _await_readiness(server)
        running.begin_jobs()
        _announce(settings, running, server.url)
        while True:
            running.check()
            kept.check()
            time.sleep(WATCH_SECONDS)


@contextmanager
def _stoppable() -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into one orderly stop; later signals are ignored."""

    def stop(number: int, frame: FrameType | None) -> None:
        for each in STOPS:
            signal.signal(each, signal.SIG_IGN)
        raise _Stopped

    before = {each: signal.signal(each, stop) for each in STOPS}
    try:
        yield
    except _Stopped:
        if console.notes().is_terminal:
            console.say("stopped")
        else:
            logger.info("stopped")
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def reserve(settings: Settings) -> socket.socket:
    """A socket on the port, once that is free. Raises Failure."""
    # The servers of an `up` that was killed take a moment to end.
    deadline = time.monotonic() + RESERVE_SECONDS
    while True:
        try:
            return launch.reserve(settings.host, settings.port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise _port_taken(settings, error) from error
        time.sleep(WATCH_SECONDS)


def _refuse_exposure(settings: Settings, listener: socket.socket) -> None:
    try:
        refuse_exposed_socket(settings, listener)
    except ExposedError as error:
        reason = str(error)
        raise Failure(f"{reason[0].upper()}{reason[1:]}.", USAGE, hint=HINT) from None


def _serve(server: WebServer, settings: Settings, running: Servers) -> None:
    is_embedded = running.database is not None
    found = {
        "SUPERVISOR_DATABASE_URL": running.database_url,
        "SUPERVISOR_REDIS_URL": running.redis_url,
        "SUPERVISOR_QUERY_SQL_SECONDS": str(
            servers.query_sql_seconds(settings, is_embedded=is_embedded)
        ),
    }
    secret = servers.key_secret_file(settings, is_embedded=is_embedded)
    if secret is not None:
        found["SUPERVISOR_KEY_SECRET_FILE"] = str(secret)
    try:
        server.serve(found)
    except OSError as error:
        raise _port_taken(settings, error) from error


def _again(listener: socket.socket, url: str, settings: Settings, running: Servers) -> WebServer:
    server = launch.prepare(listener, url)
    _serve(server, settings, running)
    return server


def _port_taken(settings: Settings, error: OSError) -> Failure:
    return Failure(
        f"Port {settings.port} on {settings.host} is not available ({error.strerror}).",
        hint="Stop the process that listens there, or set SUPERVISOR_PORT to another port (0 for"
        " any).",
    )


def _await_readiness(server: WebServer) -> None:
    try:
        launch.await_readiness(server, seconds=START_SECONDS)
    except ChildProcessError as error:
        raise Failure(
            f"The web server ended with status {server.ended()}.",
            hint="See the log above for the reason.",
        ) from error
    except TimeoutError as error:
        raise Failure(
            f"The service was not ready within {START_SECONDS:.0f} s.",
            hint="See the log above for the reason.",
        ) from error


def _announce(settings: Settings, running: Servers, url: str) -> None:
    lines = [
        ("Service", url),
        ("Access", access(settings)),
        ("Data", str(settings.data_dir) if running.database else "in your database"),
        ("Database", running.shown_database),
        ("Cache", cache_url.without_login(running.redis_url)),
    ]
    if running.analyst_dsn is not None:
        limit = f"a statement that keeps others waiting for {database.PATIENCE_SECONDS} s is ended"
        lines.append(("Analysts", f'psql "{running.analyst_dsn}"  ({limit})'))
    console.show(
        Text("Supervisor MCP is ready. Ctrl-C stops it.", style="bold"),
        *(Text(f"  {name:<9} {value}") for name, value in lines),
        Text("Try:", style="bold"),
        *(Text(f"  {command}") for command in examples(settings, url)),
    )


def access(settings: Settings) -> str:
    """Who may do what, in words."""
    if settings.authentication == "on":
        bootstrap = settings.secret("admin_key") is not None
        return "authentication is on" + ("" if bootstrap else "; SUPERVISOR_ADMIN_KEY is not set")
    return (
        "authentication is off: any program on this machine may do anything;"
        " SUPERVISOR_AUTHENTICATION=on turns it on"
    )


def examples(settings: Settings, url: str) -> list[str]:
    """Commands to try in another shell."""
    item = '{"name": "queue_depth", "source": "me", "value": 3}'
    # In another shell, the command line looks for the service at this URL.
    elsewhere = "" if url == "http://127.0.0.1:8080" else f"SUPERVISOR_URL={url} "
    key = ' -H "X-API-Key: $SUPERVISOR_API_KEY"' if settings.authentication == "on" else ""
    return [
        f"curl{key} {url}/ingest/metrics --json '{item}'",
        f"curl{key} '{url}/query/agg?kind=queue_depth&window=7d'",
        f"{elsewhere}{console.command()} servers",
        f"{elsewhere}{console.command()} agg queue_depth --window 7d",
    ]
