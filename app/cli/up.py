"""supervisor-mcp up: the whole service in the foreground, and all of it gone when it ends."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

import httpx
from rich.text import Text

from app import config
from app.cli import console, servers, web
from app.cli.client import local_url
from app.cli.failure import Failure
from app.cli.servers import Servers
from app.cli.web import Web
from app.config import Settings

START_SECONDS = 60.0
WATCH_SECONDS = 0.25
BACKLOG = 2048
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Stopped(BaseException):
    """A signal asked for the end."""


def up() -> None:
    """Start everything, say where it is, watch it, and stop it. Raises Failure."""
    settings = config.load()
    with _stoppable(), ExitStack() as stack:
        listener = stack.enter_context(_reserve(settings.host, settings.port))
        # The port first: nobody should wait for a database to learn that it is taken.
        port = listener.getsockname()[1]
        with console.step("starting") as tell:
            running = stack.enter_context(servers.start(settings, tell))
            tell("deploying the schema")
            servers.bring_up_to_date(running.database_url)
            tell("starting the web server")
            _listen(listener, settings)
            server = web.start(
                listener,
                settings,
                url=local_url(settings.host, port),
                database_url=running.database_url,
                redis_url=running.redis_url,
            )
            stack.enter_context(server)
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


def _reserve(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise _not_ours(host, port, error) from error
    return listener


def _listen(listener: socket.socket, settings: Settings) -> None:
    try:
        listener.listen(BACKLOG)
    except OSError as error:
        raise _not_ours(settings.host, settings.port, error) from error


def _not_ours(host: str, port: int, error: OSError) -> Failure:
    return Failure(
        f"Port {port} on {host} cannot be had ({error.strerror}); stop what listens there, or set"
        " SUPERVISOR_PORT to another (0 for any)."
    )


def _await_readiness(server: Web) -> None:
    deadline = time.monotonic() + START_SECONDS
    with httpx.Client(base_url=server.url, timeout=5, trust_env=False) as http:
        while True:
            _refuse_ended(server)
            try:
                answer = http.get("/readyz")
            except httpx.TransportError:
                pass
            else:
                if answer.is_success:
                    return
            if time.monotonic() > deadline:
                raise Failure(
                    f"The service was not ready within {START_SECONDS:.0f} s; the log above says"
                    f" why, and {server.url}/readyz what is missing."
                )
            time.sleep(0.05)


def _watch(running: Servers, server: Web) -> None:
    while True:
        _refuse_ended(server)
        ended = running.ended()
        if ended is not None:
            raise Failure(f"{ended} ended by itself; the log above says why. Run `up` again.")
        time.sleep(WATCH_SECONDS)


def _refuse_ended(server: Web) -> None:
    status = server.ended()
    if status is not None:
        raise Failure(f"The web server ended with status {status}; the log above says why.")


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
