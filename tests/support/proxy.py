"""A TCP proxy whose connections a test can break."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import count, cycle
from urllib.parse import urlsplit

from anyio.from_thread import start_blocking_portal

Address = tuple[str, int]


class Proxy:
    """A TCP proxy on a loopback port whose connections a test can break.

    Of several targets, each connection gets the next one. While it is `refusing`, it ends new
    connections; while it is `holding`, it passes nothing on that clients send, and `held` counts
    the pieces by the number of the connection.
    """

    def __init__(self, *targets: Address) -> None:
        self._targets = cycle(targets)
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.refusing = False
        self.holding = False
        self.held: Counter[int] = Counter()
        self._numbers = count()

    def lead_to(self, *targets: Address) -> None:
        """Give new connections other targets."""
        self._targets = cycle(targets)

    def drop(self) -> None:
        """End every connection at once."""
        for writer in self._writers:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward one connection."""
        if self.refusing:
            writer.transport.abort()
            return
        number = next(self._numbers)
        there, onward = await asyncio.open_connection(*next(self._targets))
        pair = {writer, onward}
        self._writers |= pair
        try:
            await asyncio.gather(
                _copy(reader, onward, lambda: self._holds(number)), _copy(there, writer)
            )
        finally:
            self._writers -= pair
            for end in pair:
                end.transport.abort()

    def _holds(self, number: int) -> bool:
        self.held[number] += self.holding
        return self.holding


@asynccontextmanager
async def start(
    host: str, port: int, tls: ssl.SSLContext | None = None, *, own_port: int = 0
) -> AsyncIterator[Proxy]:
    """Run a proxy to `host`:`port`; with `tls` it takes TLS connections and ends TLS itself."""
    async with _serving(Proxy((host, port)), tls, own_port) as running:
        yield running


@contextmanager
def in_thread(*urls: str, tls: ssl.SSLContext | None = None) -> Iterator[Proxy]:
    """Run a proxy to the servers of URLs, in a thread of its own; `drop` may be called there."""
    targets = [(str(there.hostname), there.port or 80) for there in map(urlsplit, urls)]
    running = Proxy(*targets)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(_serving(running, tls, 0)),
    ):
        drop, running.drop = running.drop, lambda: portal.call(drop)  # type: ignore[method-assign]
        try:
            yield running
        finally:
            running.drop = drop  # type: ignore[method-assign]


@contextmanager
def round_robin(*urls: str) -> Iterator[str]:
    """Run a proxy in front of web servers, in a thread of its own; its URL."""
    with in_thread(*urls) as running:
        yield f"http://127.0.0.1:{running.port}"


@asynccontextmanager
async def _serving(
    running: Proxy, tls: ssl.SSLContext | None, own_port: int
) -> AsyncIterator[Proxy]:
    server = await asyncio.start_server(running.serve, "127.0.0.1", own_port, ssl=tls)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()
        running.drop()
        await server.wait_closed()


async def _copy(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    holds: Callable[[], bool] = lambda: False,
) -> None:
    try:
        while data := await reader.read(65536):
            if holds():
                continue
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.transport.abort()
