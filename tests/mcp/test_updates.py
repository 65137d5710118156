"""Clients that listen learn that the active alerts have changed, whichever process changed them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from mcp import Client
from mcp.shared.subscriptions import ResourceUpdated
from psycopg import Connection

from supervisor_mcp.mcp.resources import ACTIVE_ALERTS, KINDS
from supervisor_mcp.server.launch import WebServer
from tests.sql.raised_alerts import add_transition, raise_alert
from tests.support import web_server
from tests.support.timescaledb import Server

SECONDS = 10


@pytest.fixture
def database_url(database_server: Server) -> Iterator[str]:
    """DSN of a database of this test's own."""
    with database_server.deployed() as url:
        yield url


@pytest.fixture
def service(database_url: str, tmp_path: Path) -> Iterator[WebServer]:
    with web_server.start(database_url, None, tmp_path / "log") as server:
        yield server


@pytest.fixture
def committing(database_url: str) -> Iterator[Connection]:
    with psycopg.connect(database_url, autocommit=True, prepare_threshold=None) as conn:
        yield conn


def fire(conn: Connection, rule: str) -> None:
    """What an evaluation writes that finds an alert."""
    add_transition(conn, raise_alert(conn, rule), at=datetime.now(UTC))


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
        await asyncio.to_thread(fire, committing, "slow")
        disturbed = asyncio.create_task(anext(other))
        await asyncio.wait_for(anext(updates), SECONDS)
        assert not (await asyncio.wait({disturbed}, timeout=0))[0]
        disturbed.cancel()


async def test_a_stop_ends_what_clients_listen_to(service: WebServer) -> None:
    async with (
        Client(f"{service.url}/mcp") as client,
        client.listen(resource_subscriptions=[ACTIVE_ALERTS]) as updates,
    ):
        with ThreadPoolExecutor(1) as pool:
            started = time.monotonic()
            stopping = asyncio.wrap_future(pool.submit(service.stop))
            assert [event async for event in updates] == []
            assert await stopping == 0
        assert time.monotonic() - started < 3
