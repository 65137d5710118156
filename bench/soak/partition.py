"""A Redis that can be cut off: what was under way is lost."""

from __future__ import annotations

import asyncio
import threading
from typing import Self


class Partition:
    """A TCP port on loopback in front of a Unix socket, while the context lasts."""

    def __init__(self, socket: str) -> None:
        self._socket = socket
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        self._cut = False
        self.port = 0

    def cut(self) -> None:
        """End all connections and let no other in."""
        self._cut = True
        self._loop.call_soon_threadsafe(self._drop)

    def heal(self) -> None:
        """Let connections in again."""
        self._cut = False

    def __enter__(self) -> Self:
        serving = asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._server = self._loop.run_until_complete(serving)
        self.port = self._server.sockets[0].getsockname()[1]
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _drop(self) -> None:
        for writer in self._open:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut:
            writer.transport.abort()
            return
        there, onward = await asyncio.open_unix_connection(self._socket)
        pair = {writer, onward}
        self._open |= pair
        await asyncio.gather(_copy(reader, onward), _copy(there, writer))
        self._open -= pair


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.transport.abort()
