"""How long a list is at most where nobody says, from what commands ask an HTTP server for."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support import command_line

# What is listed from the newest on has fewer entries, and what changed most has fewest.
LIMITS = {
    "alert-rules list": 100,
    "alerts": 100,
    "alerts history": 20,
    "alerts silences": 100,
    "audit": 20,
    "changes": 10,
    "facts": 20,
    "health": 100,
    "keys": 100,
    "kinds": 100,
    "kpis list": 100,
    "maintenance": 100,
    "restatements": 20,
    "servers": 100,
    "sla": 100,
    "snapshots": 100,
    "subscriptions": 100,
}


class Asked(NamedTuple):
    """A server that answers nothing, and the parameters of the requests that it got."""

    url: str
    parameters: list[dict[str, list[str]]]


@pytest.fixture(scope="module")
def asked() -> Iterator[Asked]:
    """A server for all tests; the last request is that of the test."""
    parameters: list[dict[str, list[str]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parameters.append(parse_qs(urlsplit(self.path).query))
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield Asked(f"http://127.0.0.1:{server.server_port}", parameters)
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("command", "limit"), LIMITS.items())
def test_a_list_has_so_many_entries_at_most(asked: Asked, command: str, limit: int) -> None:
    done = command_line.run(*command.split(), env={"SUPERVISOR_URL": asked.url})
    assert done.returncode == 4
    assert asked.parameters[-1]["limit"] == [str(limit)]
