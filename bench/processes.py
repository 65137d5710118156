"""What an operator sees: how fast `up` is ready, the memory of a worker, the command."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path

from bench import aggregates
from bench.measures import Measure, medians_ms
from bench.servers import Target, service
from tests.support import command_line
from tests.support.processes import descendants

STARTS = 3
ROUNDS = 5
RESIDENT = "VmRSS:"
IMPORTED = (
    "import supervisor_mcp.server.asgi, pathlib;"
    f"print(pathlib.Path('/proc/self/status').read_text().split('{RESIDENT}')[1].split()[0])"
)


def processes(target: Target, folder: Path) -> list[Measure]:
    """Seconds until `up` is ready, megabytes of a worker, seconds of `supervisor-mcp agg`."""
    return [_up(target, folder), _memory(target), _command(target)]


def _up(target: Target, folder: Path) -> Measure:
    native = {"SUPERVISOR_DATABASE_URL": target.database_url} if target.native else {}

    seconds: list[float] = []
    limits: list[float] = []
    for turn in range(STARTS + 1):
        ready = _until_ready(command_line.up(folder / "up", env=native))
        limit = _until_ready(service(target.database_url, target.redis_url, 1, folder / "web.log"))
        # The first one sets up.
        if turn:
            seconds.append(ready)
            limits.append(limit)
    return Measure(
        "`up` after set-up, to ready",
        "s",
        statistics.median(seconds),
        4,
        "the web server alone, on running servers",
        statistics.median(limits),
        higher_is_better=False,
    )


def _until_ready(starting: AbstractContextManager[object]) -> float:
    started = time.perf_counter()
    with starting:
        return time.perf_counter() - started


def _memory(target: Target) -> Measure:
    """The largest worker after all that it did, shared pages included."""
    workers = [pid for pid, _ in descendants(target.pid) if pid != target.pid]
    imported = subprocess.run(
        [sys.executable, "-c", IMPORTED], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    return Measure(
        "memory of a worker in the end",
        "MB",
        max(_resident(pid) for pid in workers) / 1000,
        150,
        "the modules imported alone",
        int(imported) * 1.024 / 1000,
        higher_is_better=False,
    )


def _resident(pid: int) -> float:
    """Kilobytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split(RESIDENT)[1].split()[0]) * 1.024


def _command(target: Target) -> Measure:
    def agg() -> None:
        done = command_line.run(
            "agg", aggregates.KIND, "--window", "30d", env={"SUPERVISOR_URL": target.url}
        )
        assert done.returncode == 0, done.stderr

    def bare() -> None:
        subprocess.run([sys.executable, "-c", "import httpx"], check=True)

    figure, limit = medians_ms(agg, bare, rounds=ROUNDS)
    return Measure(
        "`supervisor-mcp agg`",
        "s",
        figure / 1000,
        0.5,
        "Python that imports httpx",
        limit / 1000,
        higher_is_better=False,
    )
