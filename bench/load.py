"""A load client that costs little: one process, raw sockets, keep-alive, fixed requests.

`python -m bench.load HOST PORT CONNECTIONS SECONDS < requests` sends the requests of its standard
input (each after its length in eight digits) in turn over every connection and prints how many
were answered with 200 and the seconds that it took. SECONDS 0 sends every request once.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import count
from typing import cast

import uvloop


class Client(asyncio.Protocol):
    """One connection: sends the next request when an answer is whole."""

    def __init__(self, requests: Sequence[bytes], numbers: count[int], *, once: bool) -> None:
        self._requests = requests
        self._numbers = numbers
        self._once = once
        self._answer = b""
        self.answered = 0
        self.stopping = False
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        """Send the next request once the answer is whole."""
        self._answer = self._answer + data if self._answer else data
        head = self._answer.find(b"\r\n\r\n")
        if head < 0:
            return
        at = self._answer.find(b"content-length: ", 0, head) + 16
        length = int(self._answer[at : self._answer.find(b"\r", at)])
        if len(self._answer) < head + 4 + length:
            return
        if not self._answer.startswith(b"HTTP/1.1 200"):
            raise SystemExit(self._answer.decode())
        self._answer = b""
        self.answered += 1
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count no more."""
        if not self.done.done():
            self.done.set_result(None)

    def _send(self) -> None:
        number = next(self._numbers)
        if self.stopping or (self._once and number >= len(self._requests)):
            self._transport.close()
        else:
            self._transport.write(self._requests[number % len(self._requests)])


def run(
    host: str, port: int, requests: Sequence[bytes], *, connections: int, seconds: float
) -> tuple[int, float]:
    """Run the client in a process of its own: answers and seconds."""
    framed = b"".join(b"%08d%s" % (len(request), request) for request in requests)
    printed = subprocess.run(
        [sys.executable, "-m", "bench.load", host, str(port), str(connections), str(seconds)],
        input=framed,
        stdout=subprocess.PIPE,
        timeout=seconds + 300,
        check=True,
    ).stdout.split()
    return int(printed[0]), float(printed[1])


async def _load(
    host: str, port: int, requests: Sequence[bytes], connections: int, seconds: float
) -> tuple[int, float]:
    loop = asyncio.get_running_loop()
    numbers = count()
    started = time.perf_counter()
    opened = [
        await loop.create_connection(
            lambda: Client(requests, numbers, once=seconds == 0), host, port
        )
        for _ in range(connections)
    ]
    clients = [client for _, client in opened]
    if seconds:
        await asyncio.sleep(seconds)
        for client in clients:
            client.stopping = True
    await asyncio.gather(*(client.done for client in clients))
    return sum(client.answered for client in clients), time.perf_counter() - started


def _read() -> list[bytes]:
    sent = sys.stdin.buffer.read()
    requests = []
    at = 0
    while at < len(sent):
        end = at + 8 + int(sent[at : at + 8])
        requests.append(sent[at + 8 : end])
        at = end
    return requests


if __name__ == "__main__":
    host, port, connections, seconds = sys.argv[1:5]
    uvloop.install()
    print(*uvloop.run(_load(host, int(port), _read(), int(connections), float(seconds))))
