"""The ways in which a round interrupts the service."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench.soak.partition import Partition
from tests.support.command_line import Service
from tests.support.processes import descendants

CUT_SECONDS = 2.0
DISK_MEGABYTES = 512


@dataclass(frozen=True)
class Round:
    """What a manner can interrupt."""

    service: Service
    partition: Partition
    disk: Path


def _below(service: Service, command: str) -> list[int]:
    """The processes of `up` whose command line has this in it, the oldest first."""
    found = []
    for pid, started in descendants(service.process.pid):
        with suppress(OSError):
            if command in Path(f"/proc/{pid}/cmdline").read_bytes().decode():
                found.append((started, pid))
    return [pid for _, pid in sorted(found)]


def _kill(pids: list[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _partition(round_: Round) -> None:
    round_.partition.cut()
    time.sleep(CUT_SECONDS)
    round_.partition.heal()


def _full_disk(round_: Round) -> None:
    filler = round_.disk / "filler"
    with suppress(OSError), filler.open("wb") as file:
        while True:
            file.write(bytes(1024 * 1024))
    # What is preallocated of the log would last for longer than a round.
    with (
        suppress(psycopg.Error),
        psycopg.connect(round_.service.announced["Database"], autocommit=True) as conn,
    ):
        for _ in range(DISK_MEGABYTES):
            conn.execute("select pg_logical_emit_message(false, 'soak', repeat('x', 1000000))")
    time.sleep(CUT_SECONDS)
    filler.unlink()


MANNERS: dict[str, Callable[[Round], None]] = {
    "database": lambda r: _kill(_below(r.service, "main.mjs")),
    "Valkey": lambda r: _kill(_below(r.service, "valkey")),
    "web worker": lambda r: _kill(_below(r.service, "server.launch")[1:2]),
    "web arbiter": lambda r: _kill(_below(r.service, "server.launch")[:1]),
    "up": lambda r: _kill([r.service.process.pid]),
    "all at once": lambda r: _kill([pid for pid, _ in descendants(r.service.process.pid)]),
    "Redis partition": _partition,
    "full disk": _full_disk,
}


def small_disk(folder: Path) -> bool:
    """Make `folder` a small disk of its own; False where that is not allowed."""
    size = f"size={DISK_MEGABYTES}m"
    mount = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)]
    with suppress(FileNotFoundError):
        return subprocess.run(mount, check=False, capture_output=True).returncode == 0
    return False


def remove_disk(folder: Path) -> None:
    """Undo `small_disk`."""
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
