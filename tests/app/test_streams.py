"""Messages for clients that are slower than what comes, and for those that meet the reader."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from supervisor_mcp import identity
from supervisor_mcp.config import Settings
from supervisor_mcp.errors import Problem
from supervisor_mcp.identity import Identity
from supervisor_mcp.operations import context as operations
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.facts import FactStreamQuery, ingest_facts, stream_facts
from supervisor_mcp.operations.ingest import IngestOptions
from supervisor_mcp.operations.stream_reader import MOST_BYTES, MOST_MESSAGES, Message, Queue
from supervisor_mcp.operations.streams import Messages, Places
from tests.support.timescaledb import Server

EVENT = Message("1", b"{}", {"kind": "Fact:A", "source": "s"})


@pytest.fixture(scope="module")
def database_url(database_server: Server) -> Iterator[str]:
    """DSN of a database that is left with what is committed."""
    with database_server.deployed() as url:
        yield url


@pytest.fixture
async def context(database_url: str) -> AsyncIterator[Context]:
    settings = Settings(database_url=database_url, streams=2)
    async with operations.connected(operations.build(settings)) as connected:
        yield connected


@pytest.fixture
def kind() -> str:
    return f"Fact:Kind{uuid4().hex[:12]}"


async def store(context: Context, kind: str, numbers: range, payload: str = "") -> None:
    items = [
        {"kind": kind, "source": kind, "fact_id": str(n), "payload": {"text": payload}}
        for n in numbers
    ]
    await ingest_facts(context, json.dumps(items).encode(), IngestOptions(), datetime.now(UTC))


async def numbers(messages: Messages, size: int) -> list[int]:
    """The facts that come next."""
    found: list[int] = []
    while len(found) < size:
        message = await anext(messages)
        if message.data is not None:
            found.append(int(json.loads(message.data)["fact_id"]))
    return found


async def opened(context: Context, kind: str, last_event_id: str | None = None) -> Messages:
    query = FactStreamQuery(kind=kind, last_event_id=last_event_id)
    return await stream_facts(context, query)


@asynccontextmanager
async def following(context: Context, kind: str) -> AsyncIterator[Messages]:
    messages = await opened(context, kind)
    try:
        yield messages
    finally:
        await messages.close()


def test_a_queue_holds_what_its_client_asks_for() -> None:
    queue = Queue({"kind": "Fact:A", "source": "s"})
    for about in ({"kind": "Fact:B", "source": "s"}, {"kind": "Fact:A", "source": "t"}):
        queue.put(Message("2", b"{}", about))
    assert not queue.is_full


@pytest.mark.parametrize(
    ("data", "most"), [(b"{}", MOST_MESSAGES), (b"x" * (MOST_BYTES // 8), 8)], ids=["many", "large"]
)
async def test_a_queue_with_too_much_is_full_and_holds_nothing(data: bytes, most: int) -> None:
    queue = Queue({})
    for number in range(most + 1):
        assert not queue.is_full
        queue.put(EVENT._replace(id=str(number), data=data))
    assert queue.is_full
    assert not await queue.take(0)


def test_a_place_that_is_given_back_can_be_taken_again() -> None:
    places = Places(1, 1)
    place = places.take()
    with pytest.raises(Problem, match="streams_within_limit"):
        places.take()
    places.give_back(place)
    places.take()


async def test_an_identity_takes_only_so_many_places() -> None:
    places = Places(9, 2)
    ann, bob = (Identity(name, frozenset({"read"})) for name in ("ann", "bob"))
    identity.current.set(ann)
    places.take()
    place = places.take()
    with pytest.raises(Problem, match="identity_streams_within_limit") as refused:
        places.take()
    assert (refused.value.status, refused.value.retry_after) == (429, 1)
    identity.current.set(bob)
    places.take()
    identity.current.set(ann)
    places.give_back(place)
    places.take()


async def test_a_client_that_falls_behind_gets_every_event_from_the_table(
    context: Context, kind: str
) -> None:
    async with (
        following(context, kind) as slow,
        following(context, kind) as quick,
    ):
        await store(context, kind, range(1))
        assert await numbers(slow, 1) == [0]
        size = 3 * MOST_MESSAGES
        await store(context, kind, range(1, size))
        assert await numbers(quick, size) == list(range(size))
        assert await numbers(slow, size - 1) == list(range(1, size))


async def test_large_events_reach_a_client_that_falls_behind(context: Context, kind: str) -> None:
    async with following(context, kind) as slow:
        for first in range(0, 200, 100):
            await store(context, kind, range(first, first + 100), "x" * 60_000)
        assert await numbers(slow, 200) == list(range(200))


async def test_a_client_that_is_refused_takes_no_place(context: Context, kind: str) -> None:
    for _ in range(3):
        with pytest.raises(Problem, match="last_event_id_well_formed"):
            await opened(context, kind, "7")
    async with following(context, kind):
        pass


async def test_the_end_of_streams_ends_each_client_at_once(context: Context, kind: str) -> None:
    messages = await opened(context, kind)
    await anext(messages)
    context.streams.end()
    assert [message async for message in messages] == []


async def test_a_client_that_leaves_ends_at_once(context: Context, kind: str) -> None:
    messages = await opened(context, kind)
    await anext(messages)
    messages.leave()
    assert [message async for message in messages] == []
