"""Streams of two namespaces: each carries what is its own, whatever position is given."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg
import pytest
from psycopg import Connection

from supervisor_mcp import identity
from supervisor_mcp.operations.alerts import AlertStreamQuery, stream_alerts
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.facts import FactStreamQuery, stream_facts
from supervisor_mcp.operations.streams import Messages
from tests.rest.namespaced import FACT, STREAMS, connected, serving
from tests.sql.raised_alerts import add_transition
from tests.support.tenants import ACME, NOW, UMBRELLA, Tenant, within


async def test_a_stream_carries_the_facts_of_its_namespace_only(
    fresh_database: str, redis_url: str
) -> None:
    async with connected(fresh_database, redis_url) as context, serving(context) as rest:
        followers = {name: Follower(context, name) for name in ("acme", "umbrella")}
        for follower in followers.values():
            await follower.start()
        try:
            for number in range(3):
                for name in followers:
                    fact = {**FACT, "fact_id": f"{name}-{number}", "ts": NOW.timestamp()}
                    with identity.acting_as(identity.serving(name)):
                        assert (await rest.post("/ingest/facts", json=fact)).is_success
                for follower in followers.values():
                    await follower.wait_for(number + 1)
        finally:
            for follower in followers.values():
                await follower.stop()

    for name, follower in followers.items():
        names = [msgspec.json.decode(each)["fact_id"] for each in follower.messages]
        assert names == [f"{name}-{number}" for number in range(3)]


@pytest.mark.parametrize("stream", sorted(STREAMS))
async def test_a_position_of_another_namespace_gives_nothing_of_it(
    fresh_database: str, redis_url: str, stream: str
) -> None:
    async with connected(fresh_database, redis_url) as context:
        position = await first_position(context, stream)
        with psycopg.connect(fresh_database, autocommit=True, prepare_threshold=None) as conn:
            # Those of acme come last: what is read before them is all there is of the other.
            for tenant in (UMBRELLA, ACME):
                tenant.fill(conn)
                with within(conn, tenant.namespace):
                    add_alert_of_now(conn)

        assert UMBRELLA.word.encode() in await read_from(context, stream, UMBRELLA, position)
        assert UMBRELLA.word.encode() not in await read_from(context, stream, ACME, position)


def add_alert_of_now(conn: Connection[Any]) -> None:
    """A change of state that is young enough for the stream."""
    row = conn.execute("select min(fingerprint) from data.alert").fetchone()
    assert row is not None
    add_transition(conn, row[0], at=datetime.now(UTC))


class Follower:
    """A client of the stream of facts, whose messages a task of nobody's takes."""

    def __init__(self, context: Context, namespace: str) -> None:
        self._context = context
        self._namespace = namespace
        self._came = asyncio.Condition()
        self.messages: list[bytes] = []

    async def start(self) -> None:
        """Follow from now on."""
        with identity.acting_as(identity.serving(self._namespace)):
            self._stream = await stream_facts(self._context, FactStreamQuery())
        self._task = asyncio.create_task(self._take())

    async def wait_for(self, number: int) -> None:
        """Wait until so many have come."""
        async with asyncio.timeout(30), self._came:
            await self._came.wait_for(lambda: len(self.messages) >= number)

    async def stop(self) -> None:
        """End."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        await self._stream.close()

    async def _take(self) -> None:
        async for message in self._stream:
            if message.data is not None:
                async with self._came:
                    self.messages.append(message.data)
                    self._came.notify_all()


async def opened(context: Context, stream: str, position: str | None) -> Messages:
    """The messages of a stream for who asks."""
    if stream == "stream_facts":
        return await stream_facts(context, FactStreamQuery(last_event_id=position))
    return await stream_alerts(context, AlertStreamQuery(last_event_id=position))


async def first_position(context: Context, stream: str) -> str:
    """Where a stream is now."""
    messages = await opened(context, stream, None)
    first = await anext(messages)
    await messages.close()
    assert first.id is not None
    return first.id


async def read_from(context: Context, stream: str, tenant: Tenant, position: str) -> bytes:
    """What a tenant reads after a position, up to something of its own."""
    with identity.acting_as(identity.serving(tenant.namespace)):
        messages = await opened(context, stream, position)
    found = b""
    async with asyncio.timeout(30):
        async for message in messages:
            found += message.data or b""
            if tenant.word.encode() in found:
                break
    await messages.close()
    return found
