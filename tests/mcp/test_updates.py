"""Clients that listen learn that the active alerts have changed, whichever process changed them."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
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

from supervisor_mcp import db, identity
from supervisor_mcp.config import Settings
from supervisor_mcp.identity import Identity
from supervisor_mcp.mcp import updates
from supervisor_mcp.mcp.resources import ACTIVE_ALERTS, KINDS
from supervisor_mcp.mcp.updates import AlertUpdates
from supervisor_mcp.operations import context as operations
from supervisor_mcp.operations.context import Context
from supervisor_mcp.server.launch import GRACE_SECONDS, WebServer
from tests.mcp.test_library import REVISION
from tests.sql.raised_alerts import add_transition, raise_alert
from tests.support import web_server
from tests.support.ports import free_port
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


@pytest.fixture
async def nowhere(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Context]:
    """The operations over a database that does not exist, and is not waited for."""
    monkeypatch.setattr(db, "POOL_SECONDS", 0.05)
    monkeypatch.setattr(updates, "PAUSE_SECONDS", 0.01)
    url = f"postgresql://postgres@127.0.0.1:{free_port()}/postgres"
    context = operations.build(Settings(database_url=url, pool_size=1, streams=2))
    async with operations.connected(context) as connected:
        yield connected


CHANGED = ResourceUpdated(ACTIVE_ALERTS)


async def test_every_listener_hears_an_event_until_it_leaves(nowhere: Context) -> None:
    bus = AlertUpdates(nowhere)
    heard: list[str] = []
    leave_one = bus.subscribe(lambda _: heard.append("one"))
    leave_two = bus.subscribe(lambda _: heard.append("two"))
    identity.current.set(Identity("a", frozenset({"read"}), namespace="acme"))
    leave_other = bus.subscribe(lambda _: heard.append("other"))
    assert set(bus._namespaces) == {"", "acme"}
    await bus.publish(CHANGED)
    leave_one()
    await bus.publish(CHANGED)
    assert heard == ["one", "two", "other", "two", "other"]
    leave_two()
    leave_other()
    leave_other()
    assert bus._namespaces == {}


async def test_alerts_are_followed_while_anybody_listens(nowhere: Context) -> None:
    following = updates._Updates(nowhere, "")
    leave_one = following.subscribe(lambda _: None)
    task = following._task
    leave_two = following.subscribe(lambda _: None)
    assert task is not None
    assert following._task is task
    await asyncio.sleep(0)
    leave_one()
    assert following._task is task
    leave_two()
    assert following._task is None
    await asyncio.wait({task}, timeout=5)
    assert task.cancelled()
    leave = following.subscribe(lambda _: None)
    assert following._task is not None
    leave()


async def test_changes_that_come_together_are_one_update(nowhere: Context) -> None:
    following = updates._Updates(nowhere, "")
    heard: asyncio.Queue[object] = asyncio.Queue()
    leave = following.subscribe(heard.put_nowait)
    for _ in range(2):
        following._changed.set()
        following._changed.set()
        assert await asyncio.wait_for(heard.get(), 5) == CHANGED
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(heard.get(), 0.03)
    leave()
