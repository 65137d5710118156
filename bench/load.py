"""A load client that costs little: one process, raw sockets, keep-alive, fixed requests.

`python -m bench.load HOST PORT CONNECTIONS SECONDS RATE < requests` sends the requests of its
standard input (each after its length in eight digits) in turn over every connection and prints how
many were answered with 200, the seconds that it took and the 99th percentile of the latencies in
milliseconds. SECONDS 0 sends every request once. RATE is in requests a second, 0 for as fast as
answers come; with a rate, a latency counts from when the request was due.
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

    def __init__(
        self, requests: Sequence[bytes], numbers: count[int], *, once: bool, rate: float
    ) -> None:
        self._requests = requests
        self._numbers = numbers
        self._once = once
        self._rate = rate
        self._answer = b""
        self._due = 0.0
        self._started = time.perf_counter()
        self.latencies: list[float] = []
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
        self.latencies.append(time.perf_counter() - self._due)
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count no more."""
        if not self.done.done():
            self.done.set_result(None)

    def _send(self) -> None:
        number = next(self._numbers)
        now = time.perf_counter()
        self._due = self._started + number / self._rate if self._rate else now
        if self._due > now:
            asyncio.get_running_loop().call_later(self._due - now, self._write, number)
        else:
            self._write(number)

    def _write(self, number: int) -> None:
        if self.stopping or (self._once and number >= len(self._requests)):
            self._transport.close()
        else:
            self._transport.write(self._requests[number % len(self._requests)])


def run(
    host: str, port: int, requests: Sequence[bytes], *, connections: int, seconds: float
) -> tuple[int, float]:
    """Run the client in a process of its own: answers and seconds."""
    answers, taken, _ = paced(
        host, port, requests, connections=connections, seconds=seconds, rate=0
    )
    return answers, taken


def paced(
    host: str,
    port: int,
    requests: Sequence[bytes],
    *,
    connections: int,
    seconds: float,
    rate: float,
) -> tuple[int, float, float]:
    """Run it at a rate: answers, seconds and the 99th percentile of the latencies in ms."""
    framed = b"".join(b"%08d%s" % (len(request), request) for request in requests)
    printed = subprocess.run(
        [
            *(sys.executable, "-m", "bench.load"),
            *(host, str(port), str(connections), str(seconds), str(rate)),
        ],
        input=framed,
        stdout=subprocess.PIPE,
        timeout=seconds + 300,
        check=True,
    ).stdout.split()
    return int(printed[0]), float(printed[1]), float(printed[2])


async def _load(
    host: str, port: int, requests: Sequence[bytes], connections: int, seconds: float, rate: float
) -> tuple[int, float, float]:
    loop = asyncio.get_running_loop()
    numbers = count()
    started = time.perf_counter()
    opened = [
        await loop.create_connection(
            lambda: Client(requests, numbers, once=seconds == 0, rate=rate), host, port
        )
        for _ in range(connections)
    ]
    clients = [client for _, client in opened]
    if seconds:
        await asyncio.sleep(seconds)
        for client in clients:
            client.stopping = True
    await asyncio.gather(*(client.done for client in clients))
    taken = time.perf_counter() - started
    latencies = sorted(each for client in clients for each in client.latencies)
    return len(latencies), taken, 1000 * latencies[len(latencies) * 99 // 100]


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
    host, port, connections, seconds, rate = sys.argv[1:6]
    uvloop.install()
    print(
        *uvloop.run(_load(host, int(port), _read(), int(connections), float(seconds), float(rate)))
    )
