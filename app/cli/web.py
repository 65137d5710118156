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
from gunicorn.workers.base import Worker

from app import config
from app.config import Settings
from app.embedded.process import Server

COMMAND = "from app.cli.web import main; main()"
APPLICATION = "app.asgi"
# Answers under way get this long to end when the server is told to stop; `Server.stop` waits
# longer before it uses force.
GRACE_SECONDS = 10
# A worker whose event loop stands still for so long is replaced.
STUCK_SECONDS = 60
# Longer than the pause between two polls of a client.
KEEP_ALIVE_SECONDS = 75


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
        # Its own notes on every start and stop are below what an operator wants at `info`.
        level = "debug" if self._settings.log_level == "debug" else "warning"
        for name, value in {
            "bind": f"fd://{self._descriptor}",
            "workers": self._settings.workers,
            "worker_class": "uvicorn_worker.UvicornWorker",
            "keepalive": KEEP_ALIVE_SECONDS,
            "timeout": STUCK_SECONDS,
            "graceful_timeout": GRACE_SECONDS,
            "control_socket_disable": True,
            "loglevel": level,
            "post_fork": _follow_parent,
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return import_module(APPLICATION).app


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
