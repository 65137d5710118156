"""The web server's process: gunicorn with uvicorn workers, tied to the process that started it.

Run as `python -P -c "from app.cli.web import main; main()" <listening fd>`; standard input is a
pipe whose other end the parent holds and never writes to.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from importlib import import_module
from socket import socket
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.util import import_app
from gunicorn.workers.base import Worker

from app import config
from app.config import Settings
from app.embedded.process import Server

COMMAND = "from app.cli.web import main; main()"
CONFIGURATION = "app.gunicorn_config"
APPLICATION = "app.asgi:create()"
# Answers under way get this long to end when the server is told to stop; `Server.stop` waits
# longer before it uses force.
GRACE_SECONDS = 10


class Web(Server):
    """A running web server."""


def start(
    listener: socket, settings: Settings, *, url: str, database_url: str, redis_url: str
) -> Web:
    """Start the web server on a socket that listens already; it answers at `url`."""
    environment = {
        **os.environ,
        "SUPERVISOR_DATABASE_URL": database_url,
        "SUPERVISOR_REDIS_URL": redis_url,
    }
    # -P: a folder called app where the command was typed is none of ours.
    command = [sys.executable, "-P", "-c", COMMAND, str(listener.fileno())]
    return Web(
        subprocess.Popen(  # noqa: S603
            command,
            env=environment,
            stdin=subprocess.PIPE,
            pass_fds=(listener.fileno(),),
            # Ctrl-C is for the parent, which stops its servers in order.
            start_new_session=True,
        ),
        url,
    )


class _Gunicorn(BaseApplication):  # type: ignore[misc]
    """Gunicorn that reads neither command line, environment nor files of its own."""

    def __init__(self, descriptor: int, settings: Settings) -> None:
        self._descriptor = descriptor
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        for name, value in vars(import_module(CONFIGURATION)).items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)
        self.cfg.set("bind", f"fd://{self._descriptor}")
        self.cfg.set("graceful_timeout", GRACE_SECONDS)
        self.cfg.set("post_fork", _follow_parent)
        if self._settings.log_level.lower() == "info":
            # Its notes on every start and stop of a worker are for those who look for them.
            self.cfg.set("loglevel", "warning")

    def load(self) -> Any:
        return import_app(APPLICATION)


def _follow_parent(arbiter: Arbiter, worker: Worker) -> None:
    """End worker and arbiter when the pipe on standard input closes, however that came about."""

    def follow() -> None:
        while os.read(sys.stdin.fileno(), 1):
            pass
        if os.getppid() == arbiter.pid:
            os.kill(arbiter.pid, signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=follow, name="parent", daemon=True).start()


def main() -> None:
    """Serve until told to stop."""
    _Gunicorn(int(sys.argv[1]), config.load()).run()
