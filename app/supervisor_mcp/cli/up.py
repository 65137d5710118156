"""supervisor-mcp up: the whole service in the foreground, and all of it gone when it ends."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

from rich.text import Text

from supervisor_mcp import config
from supervisor_mcp.cli import console, servers
from supervisor_mcp.cli.client import local_url
from supervisor_mcp.cli.failure import Failure
from supervisor_mcp.cli.servers import Servers
from supervisor_mcp.config import Settings
from supervisor_mcp.server import launch
from supervisor_mcp.server.launch import WebServer

START_SECONDS = 60.0
WATCH_SECONDS = 0.25
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Stopped(BaseException):
    """A signal asked for the end."""


def up() -> None:
    """Start everything, say where it is, watch it, and stop it. Raises Failure."""
    settings = config.load()
    with _stoppable(), ExitStack() as stack:
        # The port first: nobody should wait for a database to learn that it is taken.
        listener = stack.enter_context(_reserve(settings))
        with console.step("starting") as progress:
            running = stack.enter_context(servers.start(settings, progress))
            progress("deploying the schema")
            servers.bring_up_to_date(running.database_url)
            progress("starting the web server")
            server = stack.enter_context(_serve(listener, settings, running))
            _await_readiness(server)
        _announce(settings, running, server.url)
        _watch(running, server)


@contextmanager
def _stoppable() -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into one orderly end; later ones change nothing."""

    def stop(number: int, frame: FrameType | None) -> None:
        for each in STOPS:
            signal.signal(each, signal.SIG_IGN)
        raise _Stopped

    before = {each: signal.signal(each, stop) for each in STOPS}
    try:
        yield
    except _Stopped:
        console.say("stopped")
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _reserve(settings: Settings) -> socket.socket:
    try:
        return launch.reserve(settings.host, settings.port)
    except OSError as error:
        raise _port_taken(settings, error) from error


def _serve(listener: socket.socket, settings: Settings, running: Servers) -> WebServer:
    environment = {
        "SUPERVISOR_DATABASE_URL": running.database_url,
        "SUPERVISOR_REDIS_URL": running.redis_url,
    }
    url = local_url(settings.host, listener.getsockname()[1])
    try:
        return launch.start(listener, url, environment)
    except OSError as error:
        raise _port_taken(settings, error) from error


def _port_taken(settings: Settings, error: OSError) -> Failure:
    return Failure(
        f"Port {settings.port} on {settings.host} is not available ({error.strerror}); stop what"
        " listens there, or set SUPERVISOR_PORT to another port (0 for any)."
    )


def _await_readiness(server: WebServer) -> None:
    try:
        launch.await_readiness(server, seconds=START_SECONDS)
    except ChildProcessError as error:
        raise _ended(server) from error
    except TimeoutError as error:
        raise Failure(
            f"The service was not ready within {START_SECONDS:.0f} s; the log above says why, and"
            f" {server.url}/readyz what is missing."
        ) from error


def _watch(running: Servers, server: WebServer) -> None:
    while True:
        if server.ended() is not None:
            raise _ended(server)
        ended = running.ended()
        if ended is not None:
            raise Failure(f"{ended} ended by itself; the log above says why. Run `up` again.")
        time.sleep(WATCH_SECONDS)


def _ended(server: WebServer) -> Failure:
    return Failure(f"The web server ended with status {server.ended()}; the log above says why.")


def _announce(settings: Settings, running: Servers, url: str) -> None:
    lines = [
        ("Service", url),
        ("Data", str(settings.data_dir) if running.database else "in your database"),
        ("Database", running.shown_database),
        ("Cache", servers.without_login(running.redis_url)),
    ]
    if running.analyst_dsn is not None:
        lines.append(("Analysts", f'psql "{running.analyst_dsn}"'))
    paper = console.out()
    paper.print(Text("Supervisor MCP is ready. Ctrl-C stops it.", style="bold"))
    for name, value in lines:
        paper.print(Text(f"  {name:<9} {value}"))
    paper.print(Text("Try:", style="bold"))
    for command in _examples(url):
        paper.print(Text(f"  {command}"))
    paper.file.flush()


def _examples(url: str) -> list[str]:
    item = '{"name": "queue_depth", "source": "me", "value": 3}'
    # What the next shell would take the service to be, unless told.
    elsewhere = "" if url == "http://127.0.0.1:8080" else f"SUPERVISOR_URL={url} "
    return [
        f"curl {url}/ingest/metrics --json '{item}'",
        f"curl '{url}/query/agg?kind=queue_depth&window=7d'",
        f"{elsewhere}{console.command()} agg queue_depth --window 7d",
    ]
