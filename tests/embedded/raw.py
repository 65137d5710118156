"""Bytes of the PostgreSQL protocol, for what no driver would send."""

from __future__ import annotations

import select
import socket
import struct
from collections.abc import Callable
from typing import Self
from urllib.parse import urlsplit

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
GSS_REQUEST = struct.pack("!ii", 8, 80877104)
SYNC = b"S\0\0\0\4"


def startup(**parameters: str) -> bytes:
    body = struct.pack("!i", 196608)
    body += b"".join(f"{name}\0{value}\0".encode() for name, value in parameters.items()) + b"\0"
    return struct.pack("!i", len(body) + 4) + body


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def query(sql: str) -> bytes:
    return message(b"Q", sql.encode() + b"\0")


def extended(sql: str) -> bytes:
    """Parse, bind and execute without the Sync."""
    return (
        message(b"P", b"\0" + sql.encode() + b"\0\0\0")
        + message(b"B", b"\0\0" + b"\0\0" * 3)
        + message(b"E", b"\0\0\0\0\0")
    )


def cancelled(descriptor: int, cancel: Callable[[], None]) -> bool:
    """Whether there is an answer after a cancel request, which may have come too early."""
    cancel()
    return bool(select.select([descriptor], [], [], 0.1)[0])


class Connection:
    """A socket that speaks messages; every wait ends after ten seconds."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=10)

    def begin(self) -> Self:
        self.socket.sendall(startup(user="postgres", database="postgres"))
        self.key: tuple[int, int] = next(
            struct.unpack("!ii", body) for kind, body in self.until_ready() if kind == b"K"
        )
        return self

    def read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            if not part:
                raise EOFError(data)
            data += part
        return data

    def receive(self) -> tuple[bytes, bytes]:
        kind, length = struct.unpack("!ci", self.read(5))
        return kind, self.read(length - 4)

    def until_ready(self) -> list[tuple[bytes, bytes]]:
        messages = [self.receive()]
        while messages[-1][0] != b"Z":
            messages.append(self.receive())
        return messages

    def rest(self) -> bytes:
        """Everything until the server closes."""
        data = b""
        try:
            while part := self.socket.recv(65536):
                data += part
        except ConnectionResetError:
            pass
        return data

    def cancel(self, pid: int, secret: int) -> None:
        """Send a cancel request instead of a startup, and wait until the server has taken it."""
        self.socket.sendall(struct.pack("!iiii", 16, 80877102, pid, secret))
        assert self.rest() == b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()
