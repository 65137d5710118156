"""The embedded TimescaleDB: one WebAssembly backend behind a bridge that speaks its protocol."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from app.embedded import locking, node, packages
from app.embedded.errors import DataDirectoryInUse, StartFailed

BRIDGE = Path(__file__).parent / "bridge" / "main.mjs"
START_SECONDS = 120.0
STOP_SECONDS = 15.0


class Database:
    """A running server; ends with `stop`, with the context, or with this process."""

    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self._process = process
        self.url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
        self.pid = process.pid

    def stop(self) -> int:
        """Stop cleanly, by force after 15 s; the exit status. A second call changes nothing."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        return self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def start(
    data_dir: Path,
    *,
    cache_dir: Path,
    port: int = 0,
    jobs: bool = True,
    idle_in_transaction_seconds: float = 30,
    progress: Callable[[str], None] = lambda _: None,
) -> Database:
    """Start a server on `data_dir`, which is created (mode 0700) when missing.

    It listens on 127.0.0.1:`port`, or on a free port when that is 0 or taken. With `jobs`, it
    runs due TimescaleDB jobs. `progress` is told of steps that take long. Raises
    `DataDirectoryInUse`, `NodeMissing`, `InstallFailed` or `StartFailed`.
    """
    runtime = node.find()
    installed = packages.installed(cache_dir, runtime, progress)
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    data_dir.chmod(0o700)
    lock = locking.acquire(data_dir / "database.lock")
    if lock is None:
        raise DataDirectoryInUse(
            f"Another embedded database runs on {data_dir}. Stop it, or set "
            "SUPERVISOR_DATA_DIR to another directory."
        )
    try:
        process = subprocess.Popen(  # noqa: S603
            [
                str(runtime.executable),
                str(BRIDGE),
                *("--packages", str(installed)),
                *("--pgdata", str(data_dir.resolve() / "pgdata")),
                *("--port", str(port)),
                *("--idle-in-transaction-seconds", str(idle_in_transaction_seconds)),
                *("--parent", str(os.getpid())),
                *("--jobs", "on" if jobs else "off"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=(lock,),
            # Ctrl-C is for the parent, which stops its servers in order.
            start_new_session=True,
        )
    finally:
        os.close(lock)
    told = _first_line(process)
    if told.get("event") != "ready":
        process.kill()
        Database(process, 0).stop()
        raise StartFailed(f"The embedded database on {data_dir} did not start: {told}")
    return Database(process, told["port"])


def _first_line(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert process.stdout is not None  # noqa: S101
    line = _read_line(process.stdout, time.monotonic() + START_SECONDS)
    if line is None:
        return {"event": "failed", "message": f"not ready within {START_SECONDS:.0f} s"}
    if not line:
        return {"event": "failed", "message": f"ended with status {process.wait()}"}
    told: dict[str, Any] = json.loads(line)
    return told


def _read_line(stream: IO[bytes], deadline: float) -> bytes | None:
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            if not selector.select(deadline - time.monotonic()):
                return None
            part = os.read(stream.fileno(), 4096)
            if not part:
                break
            line += part
    return line
