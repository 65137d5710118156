"""The web server's process: gunicorn with uvicorn workers, tied to the process that started it.

Run as `python -P -m supervisor_mcp.server.launch <bound fd> <application>`; standard input is a
pipe whose other end the parent holds. It writes one line: more settings, as JSON. The modules are
imported before the line comes, and once for all workers; `warm_up` of the application's module, if
there is one, is called then, too.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from queue import Empty
from typing import IO, Any

import httpx
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer
from gunicorn.util import import_app
from gunicorn.workers.base import Worker

from supervisor_mcp import config
from supervisor_mcp.process import Server
from supervisor_mcp.server.exposure import HINT, ExposedError, refuse_exposed_socket

MODULE = "supervisor_mcp.server.launch"
CONFIGURATION = "supervisor_mcp.server.gunicorn_config"
APPLICATION = "supervisor_mcp.server.asgi:create()"
BACKLOG = 2048
# The exit status of wrong settings.
USAGE = 2
# /readyz waits 2 s for a database; a server that ended leaves requests in the socket's backlog,
# without an answer.
ANSWER_SECONDS = 10.0
POLL_SECONDS = 0.05
# Answers under way get this long to end when the server is stopped; `Server.stop` waits
# longer before it uses force.
GRACE_SECONDS = 10
# Within this time, a worker that is asked to stop takes no connection any more.
CLOSING_SECONDS = 0.3
STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
DEPLOYING = {"SUPERVISOR_DEPLOY_DATABASE_URL"}


class WebServer(Server):
    """A web server that waits for `serve`, or that serves."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, listener: socket.socket) -> None:
        super().__init__(process, url)
        self._listener = listener

    def serve(self, settings: Mapping[str, str]) -> None:
        """Begin to serve; `settings` replace the process's variables of the same names.

        Raises OSError when it cannot listen. A process that has ended is left to `ended`.
        """
        self._listener.listen(BACKLOG)
        assert self._process.stdin is not None  # noqa: S101
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(dict(settings)).encode() + b"\n")
            self._process.stdin.flush()

    def _refuse(self) -> None:
        # The workers close the socket within a moment. This process and gunicorn's own still have
        # it: a connection that comes now would wait there and be reset in the end.
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(CLOSING_SECONDS)
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)


def reserve(host: str, port: int) -> socket.socket:
    """Bind a socket that does not listen yet, so that a taken port is known early.

    Raises OSError.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def prepare(
    listener: socket.socket,
    url: str,
    *,
    environment: Mapping[str, str] | None = None,
    application: str = APPLICATION,
    log: IO[bytes] | None = None,
) -> WebServer:
    """Start the process of a web server that will answer on a reserved socket, at `url`.

    `environment` replaces this process's variables of the same names. What only a deploy may know
    is left out. The log goes to standard
    error unless `log` is given.
    """
    # -P: the folder where the command was typed must not provide modules.
    command = [sys.executable, "-P", "-m", MODULE, str(listener.fileno()), application]
    return WebServer(
        subprocess.Popen(  # noqa: S603
            command,
            env={**_served_environment(), **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            pass_fds=(listener.fileno(),),
            # Ctrl-C is for the parent, which stops its servers in order.
            start_new_session=True,
        ),
        url,
        listener,
    )


def _served_environment() -> dict[str, str]:
    """This process's variables without those of a deploy; settings have names in any case."""
    return {name: value for name, value in os.environ.items() if name.upper() not in DEPLOYING}


def start(
    listener: socket.socket,
    url: str,
    environment: Mapping[str, str],
    *,
    application: str = APPLICATION,
    log: IO[bytes] | None = None,
) -> WebServer:
    """Do what `prepare` does, and serve at once. Raises OSError when it cannot listen."""
    server = prepare(listener, url, environment=environment, application=application, log=log)
    server.serve({})
    return server


def await_readiness(server: WebServer, *, seconds: float, status: int = 200) -> None:
    """Wait until /readyz answers with `status`.

    Raises ChildProcessError when the server ends before, TimeoutError when the time is up.
    """
    deadline = time.monotonic() + seconds
    with httpx.Client(base_url=server.url, timeout=ANSWER_SECONDS, trust_env=False) as http:
        while True:
            ended = server.ended()
            if ended is not None:
                raise ChildProcessError(f"the web server ended with status {ended}")
            try:
                if http.get("/readyz").status_code == status:
                    return
            except httpx.TransportError:
                pass
            if time.monotonic() > deadline:
                raise TimeoutError(f"the service was not ready within {seconds:.0f} s")
            time.sleep(POLL_SECONDS)


class _Arbiter(Arbiter):  # type: ignore[misc]
    """An arbiter whose requested stop is no failure, whatever a worker that starts makes of it."""

    _stopping = False

    def stop(self, graceful: bool = True) -> None:
        self._stopping = True
        super().stop(graceful)

    def reap_workers(self) -> None:
        try:
            super().reap_workers()
        except HaltServer:
            if not self._stopping:
                raise


class _Gunicorn(BaseApplication):  # type: ignore[misc]
    """Gunicorn without its own command line, environment variables and settings files."""

    def __init__(self, descriptor: int, application: str) -> None:
        self._descriptor = descriptor
        self._application = application
        super().__init__()

    def load_config(self) -> None:
        for name, value in vars(import_module(CONFIGURATION)).items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)
        self.cfg.set("bind", f"fd://{self._descriptor}")
        self.cfg.set("graceful_timeout", GRACE_SECONDS)
        self.cfg.set("post_fork", _begin_worker)

    def load(self) -> Any:
        return import_app(self._application)

    def run(self) -> None:
        _Arbiter(self).run()


def _begin_worker(arbiter: Arbiter, _worker: Worker) -> None:
    """End a worker that is asked to stop before it has handlers of its own, and follow the parent.

    Until then it has those of the arbiter, which only note a signal for a loop that it doesn't run.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with suppress(Empty):
        while arbiter.SIG_QUEUE.get_nowait() not in STOPS:
            pass
        os.kill(os.getpid(), signal.SIGTERM)
    _follow_parent(arbiter)


def _follow_parent(arbiter: Arbiter) -> None:
    """End worker and arbiter when the pipe on standard input closes, however that came about."""

    def follow() -> None:
        while os.read(sys.stdin.fileno(), 1):
            pass
        if os.getppid() == arbiter.pid:
            os.kill(arbiter.pid, signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=follow, name="parent", daemon=True).start()


def _refuse_exposure(descriptor: int) -> None:
    """End with status 2 where the socket is for others and authentication is off."""
    with socket.socket(fileno=os.dup(descriptor)) as listener:
        try:
            refuse_exposed_socket(config.load(), listener)
        except ExposedError as error:
            sys.stderr.write(f"{error}. {HINT}\n")
            sys.exit(USAGE)


def _import(application: str) -> None:
    """Import what serves. Nothing of that is garbage, so the collector looks at none of it."""
    gc.disable()
    # A worker reports what cannot be imported.
    with suppress(ImportError):
        module = import_module(application.partition(":")[0])
        if hasattr(module, "warm_up"):
            module.warm_up()
    gc.freeze()
    gc.enable()


def main() -> None:
    """Serve until a signal stops it."""
    descriptor, application = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    # First: it names the folder of the counts, which what follows looks for.
    configuration = import_module(CONFIGURATION)
    own = os.getpid()
    try:
        _import(application)
        line = sys.stdin.buffer.readline()
        if line:
            os.environ.update(json.loads(line))
            _refuse_exposure(int(descriptor))
            _Gunicorn(int(descriptor), application).run()
    finally:
        # Workers pass here too when they end. Gunicorn itself may be stopped before it is set up.
        if os.getpid() == own:
            configuration.on_exit(None)


if __name__ == "__main__":
    main()
