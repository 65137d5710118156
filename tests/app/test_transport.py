"""The head of an answer leaves with what follows at once, and never late."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from supervisor_mcp.server.transport import MOST_BYTES, Transport

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"


class Connected:
    """A transport, and the other end of its connection."""

    def __init__(self, transport: Transport, end: socket.socket) -> None:
        self.transport = transport
        self._end = end

    def received(self) -> bytes | None:
        """What has come since the last time; None where nothing has, b"" at the end."""
        try:
            return self._end.recv(1_000_000)
        except BlockingIOError:
            return None


@pytest.fixture
async def connected() -> AsyncIterator[Connected]:
    near, end = socket.socketpair()
    near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1_000_000)
    end.setblocking(False)
    loop = asyncio.get_running_loop()
    beneath, _ = await loop.create_connection(asyncio.Protocol, sock=near)
    yield Connected(Transport(beneath, loop), end)
    beneath.abort()
    end.close()


async def test_a_head_and_what_follows_in_its_turn_are_sent_at_once(connected: Connected) -> None:
    connected.transport.write(HEAD)
    assert connected.received() is None
    connected.transport.write(b"{}")
    assert connected.received() == HEAD + b"{}"
    connected.transport.write(b"more")
    assert connected.received() == b"more"


async def test_a_head_alone_is_sent_at_the_end_of_its_turn(connected: Connected) -> None:
    connected.transport.write(HEAD)
    await asyncio.sleep(0)
    assert connected.received() == HEAD
    connected.transport.write(b"{}")
    assert connected.received() == b"{}"


async def test_heads_of_one_turn_are_sent_in_their_order(connected: Connected) -> None:
    connected.transport.write(HEAD)
    connected.transport.write(b"{}")
    connected.transport.write(HEAD)
    connected.transport.write(b"[]")
    assert connected.received() == HEAD + b"{}" + HEAD + b"[]"
    await asyncio.sleep(0)
    assert connected.received() is None


@pytest.mark.parametrize("more", [0, 1])
async def test_a_long_body_follows_its_head(connected: Connected, more: int) -> None:
    body = b"x" * (MOST_BYTES + more)
    connected.transport.write(HEAD)
    connected.transport.write(body)
    assert connected.received() == HEAD + body


async def test_what_waits_is_sent_before_the_end(connected: Connected) -> None:
    connected.transport.write(HEAD)
    connected.transport.write_eof()
    assert connected.received() == HEAD
    assert connected.received() == b""


async def test_a_connection_ends_after_what_waits(connected: Connected) -> None:
    connected.transport.write(HEAD)
    connected.transport.close()
    assert connected.received() == HEAD
    await asyncio.sleep(0)
    assert connected.received() == b""


async def test_what_waits_is_not_sent_yet(connected: Connected) -> None:
    assert connected.transport.get_write_buffer_size() == 0
    connected.transport.write(HEAD)
    assert connected.transport.get_write_buffer_size() == len(HEAD)
    assert not connected.transport.is_closing()
