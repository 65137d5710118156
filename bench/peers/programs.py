"""Programs of the operating system, run on loopback for as long as they are asked."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from supervisor_mcp.process import Server

START_SECONDS = 120.0
POLL_SECONDS = 0.1


@contextmanager
def running(command: Callable[[int], list[str]], ready: str, log: Path) -> Iterator[httpx.Client]:
    """Run a server on a free port of 127.0.0.1 until the context ends; a client of it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(port), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    url = f"http://127.0.0.1:{port}"
    with Server(process, url) as server, httpx.Client(base_url=url, timeout=600) as http:
        _await(server, http, ready, log)
        yield http


def _await(server: Server, http: httpx.Client, ready: str, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            if http.get(ready).is_success:
                return
        except httpx.TransportError:
            pass
        if server.ended() is not None or time.monotonic() > end:
            raise SystemExit(f"A server did not start:\n{log.read_text()[-2000:]}")
        time.sleep(POLL_SECONDS)
