"""Copies of answers in a process, which end with the answers in Redis."""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
import redis

from supervisor_mcp.cache.connection import Connection, ConnectionFailure
from supervisor_mcp.cache.copies import LIFETIME_SECONDS, MOST_BYTES, MOST_COPIES, Copies
from supervisor_mcp.cache.store import Computed, Key, Store
from tests.support import valkey
from tests.support.valkey import Valkey
from tests.support.waiting import eventually, eventually_async

CPU = Key("cpu", "7d", namespace="")
CPU_30D = Key("cpu", "30d", namespace="")
MEMORY = Key("memory", "7d", namespace="")
ANSWER = b'{"sum":1}'
SEEN = "10:10:"


class Clock:
    """A clock that does not run, and a socket with or without something unread."""

    def __init__(self) -> None:
        self.now = 5.0
        self.unread = False

    def copies(self) -> Copies:
        return Copies(lambda: self.unread, lambda: self.now)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_copy_has_the_answer_and_what_it_has_seen(clock: Clock) -> None:
    copies = clock.copies()
    copies.keep(CPU.names, ANSWER, b"seen", 60)
    found = copies.find(CPU.answer)
    assert found is not None
    assert (found.answer, found.seen) == (ANSWER, b"seen")


@pytest.mark.parametrize(
    ("left_seconds", "lifetime"), [(60.0, LIFETIME_SECONDS), (0.25, 0.25), (0.0, 0.0), (-0.002, 0)]
)
def test_a_copy_ends_with_its_answer_and_is_read_again_soon(
    clock: Clock, left_seconds: float, lifetime: float
) -> None:
    copies = clock.copies()
    begun = clock.now
    copies.keep(CPU.names, ANSWER, b"", left_seconds)
    clock.now = begun + lifetime * 0.99
    assert (copies.find(CPU.answer) is not None) == (lifetime > 0)
    clock.now = begun + lifetime
    assert copies.find(CPU.answer) is None


def test_a_copy_is_not_used_while_something_is_unread(clock: Clock) -> None:
    copies = clock.copies()
    copies.keep(CPU.names, ANSWER, b"", 60)
    clock.unread = True
    assert copies.find(CPU.answer) is None
    clock.unread = False
    assert copies.find(CPU.answer) is not None


@pytest.mark.parametrize("name", CPU.names)
def test_the_end_of_any_of_its_keys_ends_a_copy_and_no_other_one(clock: Clock, name: str) -> None:
    copies = clock.copies()
    copies.keep(CPU.names, ANSWER, b"", 60)
    copies.keep(MEMORY.names, ANSWER, b"", 60)
    copies.drop([b"unknown", name.encode()])
    assert copies.find(CPU.answer) is None
    assert copies.find(MEMORY.answer) is not None


def test_the_end_of_a_generation_ends_all_copies_about_the_kind(clock: Clock) -> None:
    copies = clock.copies()
    copies.keep(CPU.names, ANSWER, b"", 60)
    copies.keep(CPU_30D.names, ANSWER, b"", 60)
    copies.drop([CPU.generation.encode()])
    assert copies.find(CPU.answer) is None
    assert copies.find(CPU_30D.answer) is None


def test_a_redis_that_is_emptied_ends_all_copies(clock: Clock) -> None:
    copies = clock.copies()
    copies.keep(CPU.names, ANSWER, b"", 60)
    copies.drop(None)
    assert copies.find(CPU.answer) is None


def test_a_copy_that_is_kept_again_replaces_the_one_before(clock: Clock) -> None:
    copies = clock.copies()
    copies.keep(CPU.names, ANSWER, b"", 60)
    copies.keep(CPU.names, b"{}", b"", 60)
    found = copies.find(CPU.answer)
    assert found is not None
    assert found.answer == b"{}"


def test_of_too_many_copies_the_oldest_ones_end(clock: Clock) -> None:
    copies = clock.copies()
    keys = [Key(f"kind_{number}", "7d", namespace="") for number in range(MOST_COPIES + 1)]
    for key in keys:
        copies.keep(key.names, ANSWER, b"", 60)
    assert [copies.find(key.answer) is None for key in keys] == [True] + [False] * MOST_COPIES


@pytest.mark.parametrize(("size", "kept"), [(MOST_BYTES, True), (MOST_BYTES + 1, False)])
def test_a_large_answer_is_not_copied(clock: Clock, size: int, kept: bool) -> None:
    copies = clock.copies()
    copies.keep(CPU.names, b"x" * size, b"", 60)
    assert (copies.find(CPU.answer) is not None) == kept


@pytest.fixture
def cache_by_socket(redis_url: str, valkey_server: Valkey) -> str:
    """URL of the database of `client` by a Unix socket."""
    return valkey_server.empty_by_socket()


@pytest.fixture
async def connection(cache_by_socket: str) -> AsyncIterator[Connection]:
    made = Connection(cache_by_socket)
    await made.open()
    yield made
    made.close()


@pytest.fixture
async def store(connection: Connection) -> Store:
    """A store in which an answer is kept."""
    made = Store(connection, ttl_ms=60_000)
    look = await made.look(CPU, "token", b"")
    await made.fill(CPU, "token", look.generation, Computed(ANSWER, SEEN))
    return made


def is_copied(connection: Connection) -> bool:
    assert connection.copies is not None
    return connection.copies.find(CPU.answer) is not None


async def test_an_answer_that_was_read_is_copied_as_it_is_in_redis(
    connection: Connection, store: Store
) -> None:
    assert await store.read(CPU) == (ANSWER, SEEN.encode())
    assert store.find(CPU) == (ANSWER, SEEN.encode())


async def test_an_answer_of_another_generation_is_not_copied(
    connection: Connection, store: Store, client: redis.Redis
) -> None:
    client.set(CPU.generation, "other")
    assert await store.read(CPU) == (ANSWER, None)
    assert not is_copied(connection)


def expire(client: redis.Redis) -> None:
    client.pexpire(CPU.answer, 1)
    eventually(lambda: client.get(CPU.answer) is None)


CHANGES: dict[str, Callable[[redis.Redis], object]] = {
    "the answer is removed": lambda client: client.delete(CPU.answer),
    "the generation is replaced": lambda client: client.set(CPU.generation, "other"),
    "the answer expires": expire,
    "Redis is emptied": lambda client: client.flushdb(),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_change_in_redis_ends_a_copy(
    connection: Connection, store: Store, client: redis.Redis, change: str
) -> None:
    await store.read(CPU)
    CHANGES[change](client)
    # What Redis said before its answer has been read.
    await connection.run("PING")
    assert not is_copied(connection)


async def test_what_redis_says_right_after_an_answer_ends_its_copy(
    connection: Connection, store: Store, client: redis.Redis
) -> None:
    """The answer and the end of what it holds are read at once, before the reader goes on."""
    sent = asyncio.create_task(store.read(CPU))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    # From here on, nothing is read until both have come.
    eventually(lambda: any(each["cmd"] == "evalsha" for each in client.client_list()))
    client.set(CPU.generation, "other")
    client.ping()
    assert (await sent)[0] == ANSWER
    assert not is_copied(connection)


async def test_an_invalidation_returns_when_no_process_finds_its_copies(
    connection: Connection, store: Store, cache_by_socket: str
) -> None:
    await store.read(CPU)

    async def invalidate() -> None:
        other = Connection(cache_by_socket)
        await Store(other, ttl_ms=60_000).bump(["cpu"], "other", namespace="")
        other.close()

    # Nothing of this process is read meanwhile.
    other = Thread(target=lambda: asyncio.run(invalidate()))
    other.start()
    other.join()
    assert not is_copied(connection)


async def test_the_requests_of_one_turn_of_the_event_loop_look_once_for_what_redis_has_said(
    connection: Connection, store: Store, client: redis.Redis
) -> None:
    """They came before what Redis says now; those that are read in a later turn may not have."""
    await store.read(CPU)
    assert is_copied(connection)
    client.set(CPU.generation, "other")
    client.ping()
    assert is_copied(connection)

    await asyncio.sleep(0)
    assert not is_copied(connection)


async def test_an_invalidation_returns_when_all_processes_can_read_of_it(
    store: Store, cache_by_socket: str
) -> None:
    """Redis says it to many, one after the other: this has to have ended."""
    path = urlsplit(cache_by_socket).path
    with ExitStack() as opened:
        others = [opened.enter_context(socket.socket(socket.AF_UNIX)) for _ in range(200)]
        for other in others:
            other.connect(path)
            other.sendall(b"HELLO 3\r\nCLIENT TRACKING ON\r\n")
        for token in map(str, range(5)):
            for other in others:
                other.sendall(b"GET supervisor:generation:cpu\r\nECHO asked\r\n")
            for other in others:
                await_answer(other, b"$5\r\nasked\r\n")

            await store.bump(["cpu"], token, namespace="")

            informed, _, _ = select.select(others, [], [], 0)
            assert len(informed) == len(others)


def await_answer(to: socket.socket, last: bytes) -> None:
    """Read until the last part of an answer has come."""
    read = b""
    while not read.endswith(last):
        read += to.recv(65_536)


async def test_no_copy_outlives_its_connection(
    connection: Connection, store: Store, client: redis.Redis
) -> None:
    await store.read(CPU)
    client.client_kill_filter(_type="normal", skipme=True)
    await eventually_async(lambda: is_connected(connection))
    assert not is_copied(connection)


async def is_connected(connection: Connection) -> bool:
    with suppress(ConnectionFailure):
        await connection.run("PING")
    return connection.copies is not None


async def test_across_a_network_no_copies_are_kept(redis_url: str) -> None:
    assert await keeps_none(redis_url)


@pytest.mark.parametrize("refused", ["-client|tracking", "-config|get"])
async def test_where_redis_refuses_to_invalidate_no_copies_are_kept(
    cache_by_socket: str, client: redis.Redis, refused: str
) -> None:
    client.acl_setuser("guest", enabled=True, nopass=True, keys=["*"], commands=["+@all", refused])
    assert await keeps_none(f"{cache_by_socket}&username=guest&password=any")
    client.acl_deluser("guest")


async def test_where_the_protocol_has_no_invalidation_no_copies_are_kept(
    cache_by_socket: str,
) -> None:
    assert await keeps_none(f"{cache_by_socket}&protocol=2")


@pytest.mark.server
async def test_where_redis_writes_in_several_threads_no_copies_are_kept(tmp_path: Path) -> None:
    with valkey.alone_by_socket(tmp_path / "v.sock", io_threads="2") as url:
        assert await keeps_none(url)


async def keeps_none(url: str) -> bool:
    """Whether a connection reads, and keeps no copies."""
    connection = Connection(url)
    await connection.open()
    read = await connection.get("nothing")
    copies = connection.copies
    connection.close()
    return copies is None and read == [None]
