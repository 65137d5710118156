"""Reading what other processes have changed, once a second and when somebody asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping

import pytest

from supervisor_mcp.cache.changes import Changes
from supervisor_mcp.db import Database
from supervisor_mcp.errors import Problem
from supervisor_mcp.operations import changes
from supervisor_mcp.operations.changes import ChangeReader
from tests.support.waiting import eventually_async


class Refusing:
    """A server that ends every connection, and counts them; `database` is on it."""

    def __init__(self, server: asyncio.Server) -> None:
        port = server.sockets[0].getsockname()[1]
        url = f"postgresql://postgres@127.0.0.1:{port}/postgres?sslmode=disable"
        self.database = Database(url, pool_size=1, statement_timeout_seconds=1)
        self.connections = 0

    async def is_tried_again(self) -> None:
        known = self.connections

        async def was_tried() -> bool:
            return self.connections >= known + 2

        await eventually_async(was_tried, "two tries")


@pytest.fixture
async def refusing() -> AsyncIterator[Refusing]:
    def end(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.connections += 1
        writer.close()

    async with await asyncio.start_server(end, "127.0.0.1", 0) as server:
        made = Refusing(server)
        yield made
        await made.database.close()


class Counting(Changes):
    """Counts readings."""

    readings = 0

    def learn(
        self, since: str, read_at: float, found: Mapping[str, Mapping[str, Iterable[int]]]
    ) -> None:
        self.readings += 1
        super().learn(since, read_at, found)


def reader_of(database: Database) -> tuple[ChangeReader, Counting]:
    changes = Counting(lifetime_seconds=60)
    return ChangeReader(database, changes), changes


async def test_a_reading_is_learnt(present: Database) -> None:
    reader, learnt = reader_of(present)
    assert learnt.since is None
    await reader.read()
    assert learnt.since is not None


async def test_how_long_ago_changes_were_read_counts_from_the_start(nowhere: Database) -> None:
    reader, _ = reader_of(nowhere)
    assert reader.seconds_since_reading() == 0
    await reader.stop()
    reader.start()
    assert 0 <= reader.seconds_since_reading() < 1
    reader._read_at -= 60
    assert 60 <= reader.seconds_since_reading() < 61
    await reader.stop()
    assert reader._task is not None
    assert reader._task.cancelled() or reader._task.done()


async def test_a_reading_makes_what_is_known_new(present: Database) -> None:
    reader, _ = reader_of(present)
    reader.start()
    await reader.stop()
    reader._read_at -= 60
    await reader.read()
    assert 0 <= reader.seconds_since_reading() < 1


async def test_those_who_catch_up_at_once_share_a_reading(present: Database) -> None:
    reader, learnt = reader_of(present)
    await asyncio.gather(*(reader.catch_up() for _ in range(5)))
    assert learnt.readings == 1
    # One that is under way may have begun too early.
    await reader._turn.acquire()
    first = asyncio.create_task(reader.catch_up())
    await asyncio.sleep(0)
    reader._turn.release()
    await first
    assert learnt.readings == 2


async def test_who_catches_up_learns_of_a_failure(nowhere: Database) -> None:
    reader, _ = reader_of(nowhere)
    for _ in range(2):
        with pytest.raises(Problem, match="unavailable"):
            await reader.catch_up()


async def test_readings_go_on_and_a_failure_is_logged_once_until_they_work_again(
    present: Database,
    refusing: Refusing,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(changes, "INTERVAL_SECONDS", 0.01)
    reader, learnt = reader_of(present)

    async def reads() -> None:
        known = learnt.readings

        async def has_read_twice() -> bool:
            return learnt.readings > known + 1

        await eventually_async(has_read_twice, "two readings")

    reader.start()
    for _ in range(2):
        await reads()
        reader._database = refusing.database
        await refusing.is_tried_again()
        reader._database = present
    await reads()
    await reader.stop()
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 2
    assert messages[0].startswith("changes cannot be read, trying again: ")


async def test_who_wakes_it_does_not_wait_for_the_next_turn(
    present: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "INTERVAL_SECONDS", 60)
    reader, learnt = reader_of(present)
    reader.start()
    for number in range(1, 4):

        async def has_read(wanted: int = number) -> bool:
            return learnt.readings == wanted

        await eventually_async(has_read, "a reading")
        reader.wake()
    await reader.stop()
    assert learnt.readings == 3


async def test_a_lost_connection_is_replaced_at_once(
    refusing: Refusing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "INTERVAL_SECONDS", 60)
    reader, _ = reader_of(refusing.database)
    reader.start()
    await refusing.is_tried_again()
    await reader.stop()
    assert refusing.connections >= 2
