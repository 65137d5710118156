"""Limits on requests as the running service keeps them: counts, and bodies in memory."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from supervisor_mcp.rest.bodies import LIMIT_BYTES as ONE_BODY
from supervisor_mcp.rest.budget import LIMIT_BYTES as ALL_BODIES
from tests.support import web_server
from tests.support.timescaledb import Server
from tests.support.waiting import eventually

HEAD = b"POST /ingest/facts HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@contextmanager
def connected(service: str) -> Iterator[socket.socket]:
    address = httpx.URL(service)
    with socket.create_connection((address.host, address.port or 80), timeout=60) as connection:
        yield connection


def exchange(service: str, sent: bytes) -> bytes:
    """What the service answers until it ends the connection."""
    with connected(service) as connection:
        connection.sendall(sent)
        return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    answer = b""
    while part := connection.recv(65536):
        answer += part
    return answer


def unread(service: str) -> int:
    """Bytes on their way to the service and its clients: see /proc/net/tcp in proc(5)."""
    port = f":{httpx.URL(service).port:04X}"
    sockets = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()
    queues = [line.split()[4].split(":") for line in sockets if port in line]
    return sum(int(queue, 16) for pair in queues for queue in pair)


def counted(service: str) -> dict[str, float]:
    """Requests by status, without those to /metrics itself."""
    text = httpx.get(f"{service}/metrics").text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    found: dict[str, float] = {}
    for sample in families["supervisor_http_requests"].samples:
        if sample.name.endswith("_total") and sample.labels["route"] != "/metrics":
            status = sample.labels["status"]
            found[status] = found.get(status, 0) + sample.value
    return found


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (CHUNKED + b"nonsense\r\n", "400"),
        (CHUNKED + b"1\r\nx\r\nnonsense\r\n", "400"),
        (b"nonsense\r\n\r\n", "400"),
        (b"CONNECT localhost:1 HTTP/1.1\r\nHost: localhost:1\r\n\r\n", "400"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", "431"),
    ],
)
def test_a_request_is_counted_by_the_status_that_was_sent(
    service: str, sent: bytes, status: str
) -> None:
    before = counted(service)
    answer = exchange(service, sent)
    assert answer.startswith(b"HTTP/1.1 %s " % status.encode())
    expected = {**before, status: before.get(status, 0) + 1}
    assert eventually(lambda: counted(service) == expected, "one request more")


def test_bodies_beyond_what_memory_allows_are_refused_for_a_moment(
    database_url: str, tmp_path: Path
) -> None:
    # The service itself finds what is wrong with them.
    head = HEAD.replace(b"/ingest/facts", b"/query/sql")
    head += b"Connection: close\r\nContent-Length: %d\r\n\r\n" % ONE_BODY
    most = b"x" * (ONE_BODY - 1)
    log = tmp_path / "log"
    with (
        web_server.start(database_url, None, log, workers=1) as alone,
        ExitStack() as stack,
    ):
        holders = [stack.enter_context(connected(alone.url)) for _ in range(ALL_BODIES // ONE_BODY)]
        for holder in holders:
            holder.sendall(head + most)

        # A smaller request before that would take what a holder still needs.
        eventually(lambda: unread(alone.url) == 0, "what the holders sent is read")
        refused = httpx.post(f"{alone.url}/ingest/facts", json=[{}] * 10)
        assert (refused.status_code, refused.headers.get("retry-after")) == (503, "1")
        assert httpx.get(f"{alone.url}/query/kinds").status_code == 200
        for holder in holders:
            holder.sendall(b"x")
            assert read_all(holder).startswith(b"HTTP/1.1 400 ")
        assert httpx.post(f"{alone.url}/ingest/facts", json=[]).status_code == 200


def test_clients_that_do_not_read_their_answers_hold_no_database_connection(
    database_server: Server, tmp_path: Path
) -> None:
    # 86,400 points: more than what sockets hold.
    large = (
        b"GET /query/metrics?name=depth&step=30s&from=2026-01-01T00:00:00Z&to=2026-01-31T00:00:00Z"
        b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
    )
    settings = {"SUPERVISOR_POOL_SIZE": "1"}
    with (
        database_server.deployed() as database_url,
        web_server.start(
            database_url, None, tmp_path / "log", workers=1, settings=settings
        ) as server,
        ExitStack() as stack,
    ):
        item = {"name": "depth", "source": "a", "value": 1}
        httpx.post(f"{server.url}/ingest/metrics", json=item).raise_for_status()
        for _ in range(3):
            slow = stack.enter_context(connected(server.url))
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.sendall(large)
            # The answer has begun, and nobody reads the rest of it.
            assert slow.recv(12) == b"HTTP/1.1 200"
        answer = httpx.get(f"{server.url}/query/agg?kind=depth&window=1h")
        assert (answer.status_code, answer.json()["count"]) == (200, 1)
