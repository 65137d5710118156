"""Messages for clients that are slower than what comes, and for those that meet the reader."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from msgspec import Raw

from supervisor_mcp import identity
from supervisor_mcp.config import Settings
from supervisor_mcp.errors import Problem
from supervisor_mcp.identity import Identity
from supervisor_mcp.operations import context as operations
from supervisor_mcp.operations import stream_reader
from supervisor_mcp.operations.alerts import AlertStreamQuery, stream_alerts
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.facts import FactStreamQuery, ingest_facts, stream_facts
from supervisor_mcp.operations.ingest import IngestOptions
from supervisor_mcp.operations.stream_reader import (
    MOST_BYTES,
    MOST_MESSAGES,
    Event,
    Message,
    Queue,
    Reading,
    StreamReader,
)
from supervisor_mcp.operations.streams import Messages, Places
from supervisor_mcp.rest.streams import _Events
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


async def test_messages_come_in_their_order_once() -> None:
    queue = Queue({"kind": "Fact:A"})
    sent = [
        EVENT,
        EVENT._replace(id="2", about={"kind": "Fact:B"}),
        EVENT._replace(id="3", about={}),
        EVENT._replace(id="4", about=None),
        Message("5"),
        EVENT._replace(id="6"),
    ]
    for message in sent:
        queue.put(message)
    assert [each.id for each in await queue.take(0)] == ["1", "4", "5", "6"]
    assert list(await queue.take(0)) == []


@pytest.mark.parametrize(("number", "size"), [(1000, 0), (4, 1024 * 1024), (1, 4 * 1024 * 1024)])
async def test_a_queue_holds_so_much_and_as_much_again_when_it_was_taken_or_emptied(
    number: int, size: int
) -> None:
    queue = Queue({})
    message = Message("1", b"x" * size)

    async def takes_it_all_and_no_more() -> None:
        for _ in range(number):
            queue.put(message)
        assert not queue.is_full
        queue.put(Message("1", b"x"))
        assert queue.is_full
        queue.put(Message("1"))
        assert (queue.is_full, len(await queue.take(0))) == (True, 0)

    await takes_it_all_and_no_more()
    queue.empty()
    for _ in range(number):
        queue.put(message)
    assert len(await queue.take(0)) == number
    await takes_it_all_and_no_more()
    queue.empty()
    await takes_it_all_and_no_more()


async def test_a_client_that_waits_gets_what_comes() -> None:
    queue = Queue({})
    taking = asyncio.create_task(queue.take(5))
    await asyncio.sleep(0)
    queue.put(EVENT)
    assert list(await taking) == [EVENT]


async def test_a_client_that_leaves_no_longer_waits() -> None:
    queue = Queue({})
    taking = asyncio.create_task(queue.take(5))
    await asyncio.sleep(0)
    assert not queue.has_left
    queue.leave()
    assert list(await taking) == []
    assert queue.has_left


def test_what_a_client_misses_comes_before_the_events() -> None:
    event = Event("1", {"kind": "a"}, Raw(b"{}"))
    for missing, expected in ((b"null", []), (b'{"n": 1}', [Message(None, b'{"n": 1}')])):
        reading = Reading([event], "1", "1", Raw(missing))
        assert list(reading.messages()) == [*expected, Message("1", b"{}", {"kind": "a"})]


class Table:
    """Events by their positions, of which a reading has two at most; it may fail."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.asked: list[tuple[str | None, str | None]] = []
        self.failure: Exception | None = None

    async def read(self, after: str | None, until: str | None) -> Reading:
        self.asked.append((after, until))
        if self.failure is not None:
            raise self.failure
        first = self.size if after is None else int(after)
        last = min(first + 2, self.size)
        events = [Event(str(n), {}, Raw(b"%d" % n)) for n in range(first + 1, last + 1)]
        return Reading(events, str(last), str(self.size), Raw(b"null"))


async def test_one_reader_reads_every_page_for_all_clients() -> None:
    table = Table(5)
    reader = StreamReader("s", table.read)
    assert not reader.is_running
    with reader.running(), reader.running():
        assert reader.is_running
        assert await reader.turn()
        assert (reader.whole, table.asked) == ("5", [(None, None)])
        assert reader.is_at("5")
        assert not reader.is_at("4")
        queue = Queue({})
        with reader.joined(queue):
            table.size = 10
            with reader.running():
                messages: list[Message] = []
                async with asyncio.timeout(5):
                    while len(messages) < 5:
                        messages += await reader.take(queue)
        assert [message.data for message in messages] == [b"6", b"7", b"8", b"9", b"10"]
        assert table.asked[1:] == [("5", None), ("7", "10"), ("9", "10")]
        assert reader.whole == "10"
    # Nobody is there: it ends by itself, and begins again from what is there then.
    assert reader.is_running
    with reader.running():
        pass
    await eventually_ends(reader)
    assert (reader.whole, reader.is_at("10")) == (None, False)
    table.size = 20
    with reader.running():
        assert await reader.turn()
        assert reader.whole == "20"


async def eventually_ends(reader: StreamReader) -> None:
    assert reader._task is not None
    async with asyncio.timeout(5):
        await reader._task
    assert not reader.is_running


async def test_a_client_that_joins_has_nothing_from_before() -> None:
    reader = StreamReader("s", Table(0).read)
    queue = Queue({})
    queue.put(EVENT)
    with reader.joined(queue):
        assert list(await queue.take(0)) == []
        assert reader._queues == {queue}
    assert reader._queues == set()


async def test_a_standby_that_is_behind_is_not_asked_for_more_at_once() -> None:
    asked = []

    async def read(after: str | None, until: str | None) -> Reading:
        asked.append((after, until))
        return Reading([], "3", "9", Raw(b"null"))

    reader = StreamReader("s", read)
    with reader.running():
        assert await reader.turn()
    assert asked == [(None, None), ("3", "9")]
    assert reader.whole is None
    await reader.stop()


async def test_a_client_for_whom_nothing_comes_gets_a_sign_of_life(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream_reader, "PING_SECONDS", 0.01)
    table = Table(5)
    reader = StreamReader("s", table.read)
    queue = Queue({})
    assert list(await reader.take(queue)) == [Message(None)]
    assert not await reader.turn()
    with reader.running():
        assert await reader.turn()
        assert list(await reader.take(queue)) == [Message("5")]
        # What was read since is not all that was committed.
        reader._reached = "6"
        assert list(await reader.take(queue)) == [Message(None)]
    await reader.stop()


@pytest.mark.parametrize("why", ["full", "left", "ended"])
async def test_a_client_whose_stream_ends_gets_nothing(why: str) -> None:
    reader = StreamReader("s", Table(0).read)
    queue = Queue({})
    with reader.joined(queue):
        taking = asyncio.create_task(reader.take(queue))
        turning = asyncio.create_task(reader.turn())
        await asyncio.sleep(0)
        if why == "full":
            for _ in range(MOST_MESSAGES + 1):
                queue.put(EVENT)
        elif why == "left":
            queue.leave()
        else:
            reader.end()
            assert reader.has_ended
            assert await turning
        assert list(await taking) == []
        turning.cancel()


async def test_a_reader_that_is_stopped_ends_at_once() -> None:
    reader = StreamReader("s", Table(0).read)
    await reader.stop()
    reader = StreamReader("s", Table(0).read)
    with reader.running():
        assert await reader.turn()
        await reader.stop()
        assert reader.has_ended
        assert reader._task is not None
        assert reader._task.done()
        # Its client has not left yet.
        assert reader.is_running
    assert not reader.is_running


async def test_a_failure_is_logged_once_until_reading_works_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_reader, "INTERVAL_SECONDS", 0)
    table = Table(1)
    reader = StreamReader("facts", table.read)

    async def turns(failure: Exception | None) -> list[str]:
        table.failure = failure
        caplog.clear()
        await reader.turn()
        for _ in range(3):
            assert await reader.turn()
        return [record.getMessage() for record in caplog.records]

    away = Problem("unavailable", "away")
    with reader.running():
        for _ in range(2):
            assert await turns(away) == ["facts cannot be read, trying again: away"]
            assert await turns(away) == []
            assert await turns(None) == []
        assert set(await turns(ValueError())) == {"facts cannot be read"}
        assert len(caplog.records) >= 3
    await reader.stop()


def test_a_place_that_is_given_back_can_be_taken_again() -> None:
    places = Places(1, 1)
    place = places.take()
    with pytest.raises(Problem, match="streams_within_limit"):
        places.take()
    places.give_back(place)
    places.take()


def test_who_sends_no_credentials_takes_all_places() -> None:
    places = Places(3, 1)
    for _ in range(3):
        places.take()
    places.give_back(None)
    with pytest.raises(Problem, match="streams_within_limit") as refused:
        places.take()
    assert refused.value.slug == "streams_within_limit"


async def test_an_identity_takes_only_so_many_places() -> None:
    places = Places(9, 2)
    ann, bob = (Identity(name, frozenset({"read"})) for name in ("ann", "bob"))
    identity.current.set(ann)
    places.take()
    place = places.take()
    with pytest.raises(Problem, match="identity_streams_within_limit") as refused:
        places.take()
    assert (refused.value.status, refused.value.retry_after) == (429, 1)
    assert refused.value.params == {"retry_after_seconds": 1}
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
    async with asyncio.timeout(5):
        assert [message async for message in messages] == []


async def test_a_client_that_comes_after_the_end_is_sent_no_more(
    context: Context, kind: str
) -> None:
    ended: list[str] = []
    context.streams.before_end(lambda: ended.append("first"))
    context.streams.end()
    assert ended == ["first"]
    messages = await opened(context, kind)
    async with asyncio.timeout(5):
        assert [message.data async for message in messages] == [None]


async def test_a_client_that_leaves_ends_at_once(context: Context, kind: str) -> None:
    messages = await opened(context, kind)
    await anext(messages)
    messages.leave()
    assert [message async for message in messages] == []


async def test_a_stream_passes_on_what_the_client_asked_for_and_takes_a_place(
    context: Context, kind: str
) -> None:
    taken = context.streams.facts._places._taken
    query = FactStreamQuery(kind=kind, subject="x")
    facts = await stream_facts(context, query)
    assert facts._queue._wanted == {"kind": kind, "subject": "x"}
    assert len(taken) == 1
    alerts = await stream_alerts(context, AlertStreamQuery(labels={"a": "b"}))
    assert alerts._queue._wanted == {"a": "b"}
    every = await stream_alerts(context, AlertStreamQuery(), counted=False)
    assert every._queue._wanted == {}
    assert len(taken) == 2
    for messages in (facts, alerts, every):
        await anext(messages)
        await messages.close()
    assert not taken


async def test_messages_become_events() -> None:
    async def messages() -> AsyncGenerator[Message, None]:
        yield Message("1")
        yield Message("2", b"{}", {"kind": "a"})
        yield Message(None, b"[]")
        yield Message(None)

    events = _Events(Messages(messages(), Queue({})), "fact")
    sent = [event async for event in events]
    assert [each.serialize() for each in sent] == [
        b": ping\nid: 1\nretry: 1000\n\n",
        b"event: fact\nid: 2\ndata: {}\n\n",
        b"event: missing\ndata: []\n\n",
        b": ping\n\n",
    ]
