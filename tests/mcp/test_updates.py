"""Clients that listen learn that the active alerts have changed, whichever process changed them."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from mcp import Client
from mcp.shared.subscriptions import ResourceUpdated
from psycopg import Connection

from supervisor_mcp.mcp.resources import ACTIVE_ALERTS, KINDS
from supervisor_mcp.server.launch import GRACE_SECONDS, WebServer
from tests.mcp.test_library import REVISION
from tests.sql.raised_alerts import add_transition, raise_alert
from tests.support import web_server
from tests.support.timescaledb import Server

SECONDS = 10


@dataclass(frozen=True)
class Alone:
    """A service, and how long its start took here and now."""

    server: WebServer
    start_seconds: float


@pytest.fixture(scope="module")
def database_url(database_server: Server) -> Iterator[str]:
    """DSN of a database of this module's own."""
    with database_server.deployed() as url:
        yield url


@pytest.fixture(scope="module")
def service(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """A service that the tests share that do not stop it."""
    log = tmp_path_factory.mktemp("updates") / "log"
    with web_server.start(database_url, None, log) as server:
        yield server


@pytest.fixture
def alone(database_url: str, tmp_path: Path) -> Iterator[Alone]:
    """A service of one process, to be stopped; one that is ready has started whole."""
    began = time.monotonic()
    with web_server.start(database_url, None, tmp_path / "log", workers=1) as server:
        yield Alone(server, start_seconds=time.monotonic() - began)


@pytest.fixture
def committing(database_url: str) -> Iterator[Connection]:
    with psycopg.connect(database_url, autocommit=True, prepare_threshold=None) as conn:
        yield conn


def fire(conn: Connection, rule: str) -> None:
    """What an evaluation writes that finds an alert."""
    add_transition(conn, raise_alert(conn, rule), at=datetime.now(UTC))


@contextmanager
def stalled_listener(url: str) -> Iterator[None]:
    """A client that is sent more than the network holds, and reads one word of it."""
    body = json.dumps(
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "subscriptions/listen",
            "params": {
                "notifications": {"resourceSubscriptions": ["supervisor://" + "x" * 3_000_000]},
                "_meta": {
                    "io.modelcontextprotocol/protocolVersion": REVISION,
                    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
                    "io.modelcontextprotocol/clientCapabilities": {},
                },
            },
        }
    ).encode()
    head = (
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Accept: application/json, text/event-stream\r\nMcp-Method: subscriptions/listen\r\n"
        f"MCP-Protocol-Version: {REVISION}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    host = urlsplit(url)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect((host.hostname, host.port))
        connection.sendall(head.encode() + body)
        assert connection.recv(12) == b"HTTP/1.1 200"
        yield


async def test_a_client_learns_of_every_change_and_can_read_it_then(
    service: WebServer, committing: Connection
) -> None:
    async with (
        Client(f"{service.url}/mcp") as client,
        client.listen(resource_subscriptions=[ACTIVE_ALERTS]) as updates,
    ):
        for rule in ("slow", "down"):
            await asyncio.to_thread(fire, committing, rule)
            event = await asyncio.wait_for(anext(updates), SECONDS)
            assert event == ResourceUpdated(ACTIVE_ALERTS)
            (content,) = (await client.read_resource(ACTIVE_ALERTS)).contents
            assert rule in content.text  # type: ignore[union-attr]


async def test_a_client_that_listens_to_another_resource_is_not_disturbed(
    service: WebServer, committing: Connection
) -> None:
    async with (
        Client(f"{service.url}/mcp") as client,
        client.listen(resource_subscriptions=[KINDS]) as other,
        client.listen(resource_subscriptions=[ACTIVE_ALERTS]) as updates,
    ):
        await asyncio.to_thread(fire, committing, "late")
        disturbed = asyncio.create_task(anext(other))
        await asyncio.wait_for(anext(updates), SECONDS)
        assert not (await asyncio.wait({disturbed}, timeout=0))[0]
        disturbed.cancel()


def test_a_client_that_does_not_read_does_not_delay_a_stop(alone: Alone) -> None:
    with stalled_listener(alone.server.url):
        started = time.monotonic()
        assert alone.server.stop() == 0
        assert time.monotonic() - started < max(GRACE_SECONDS - 3, 2 * alone.start_seconds)


async def test_a_stop_ends_what_clients_listen_to(alone: Alone) -> None:
    async with (
        Client(f"{alone.server.url}/mcp") as client,
        client.listen(resource_subscriptions=[ACTIVE_ALERTS]) as updates,
    ):
        with ThreadPoolExecutor(1) as pool:
            started = time.monotonic()
            stopping = asyncio.wrap_future(pool.submit(alone.server.stop))
            assert [event async for event in updates] == []
            assert await stopping == 0
        # It is shorter than a start is, on whatever else the machine does; waiting takes 10 s.
        assert time.monotonic() - started < max(3, alone.start_seconds)
