"""gunicorn's settings, which `server/launch.py` reads."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import Any

from supervisor_mcp.config import load
from supervisor_mcp.server.log import Log

_settings = load()

bind = f"{_settings.host}:{_settings.port}"
workers = _settings.workers
worker_class = "supervisor_mcp.server.worker.Worker"
# Clients keep connections; 2 s, the default, would end most of them between two requests.
keepalive = 75
timeout = 60
graceful_timeout = 20
control_socket_disable = True
logger_class = Log
# Heartbeat files on a disk would make workers wait for it.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112

_counts = tempfile.mkdtemp(prefix="supervisor-counts-")
# Before anything imports prometheus_client, which looks for it then.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = _counts


def child_exit(_server: Any, worker: Any) -> None:
    """Leave out what a dead worker held; its counts stay."""
    from prometheus_client import multiprocess  # noqa: PLC0415  see above

    multiprocess.mark_process_dead(worker.pid, _counts)  # type: ignore[no-untyped-call]


def on_exit(_server: Any) -> None:
    """Remove the counts."""
    shutil.rmtree(_counts, ignore_errors=True)
