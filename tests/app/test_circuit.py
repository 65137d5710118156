"""A Redis that cannot be used costs answers next to nothing, and it is said why."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
import redis

from supervisor_mcp.cache.aggregates import Cache, Computed, Key
from supervisor_mcp.cache.connection import (
    ANSWER_SECONDS,
    Connection,
    ConnectionFailure,
    Misconfigured,
)
from supervisor_mcp.cache.token_bucket import TokenBuckets
from tests.support import proxy, valkey
from tests.support.proxy import Proxy
from tests.support.valkey import PATIENCE
from tests.support.waiting import eventually_async

CPU = Key("cpu", "7d", namespace="")
ANSWERS = 50


@asynccontextmanager
async def reached_through(redis_url: str) -> AsyncIterator[tuple[Proxy, Connection]]:
    """A Redis behind a proxy, and a connection with the limits of production."""
    address = urlsplit(redis_url)
    async with proxy.start(str(address.hostname), address.port or 0) as door:
        connection = Connection(f"redis://127.0.0.1:{door.port}{address.path}")
        await connection.open()
        yield door, connection
        connection.close()


async def usable(connection: Connection) -> None:
    async def is_usable() -> bool:
        return await connection.check() is None

    await eventually_async(is_usable, "Redis")


async def test_of_many_answers_one_waits_for_a_redis_that_hangs(redis_url: str) -> None:
    async with reached_through(redis_url) as (door, connection):
        cache = Cache(connection, ttl_seconds=60)
        cache.changes.learn("10:10:", 0, {})
        await cache.answer(CPU, _compute)
        door.holding = True
        loop = asyncio.get_running_loop()
        waits = []
        for _ in range(ANSWERS):
            began = loop.time()
            assert await cache.answer(CPU, _compute) == b"{}"
            waits.append(loop.time() - began)
        slow = [wait for wait in waits if wait >= ANSWER_SECONDS / 2]
        assert len(slow) == 1
        assert slow[0] < 10 * ANSWER_SECONDS
        # What that one asked, and at most one attempt to connect, beside the answers.
        assert door.held[0] == 1
        assert len(+door.held) <= 2
        assert connection.reason == "no answer within 50 ms"


async def test_answers_that_come_together_wait_once(redis_url: str) -> None:
    async with reached_through(redis_url) as (door, connection):
        door.holding = True
        loop = asyncio.get_running_loop()
        began = loop.time()
        failed = await asyncio.gather(
            *(connection.get(f"key:{n}") for n in range(ANSWERS)), return_exceptions=True
        )
        assert all(isinstance(each, ConnectionFailure) for each in failed)
        assert door.held[0] == 1
        assert loop.time() - began < 10 * ANSWER_SECONDS


async def test_an_ingest_and_a_request_limit_do_not_wait_for_a_redis_that_hangs_either(
    redis_url: str,
) -> None:
    async with reached_through(redis_url) as (door, connection):
        cache = Cache(connection, ttl_seconds=60)
        buckets = TokenBuckets(connection, rate=0.001, burst=1)
        door.holding = True
        for number in range(ANSWERS):
            await cache.invalidate(["cpu"], number, namespace="")
            await buckets.take(f"sender {number}")
        assert door.held[0] == 1


async def test_a_redis_that_answers_again_is_used_again_and_both_are_logged_once(
    redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "supervisor_mcp.cache.connection")
    async with reached_through(redis_url) as (door, connection):
        door.holding = True
        for _ in range(3):
            with pytest.raises(ConnectionFailure):
                await connection.get("key")
        door.holding = False
        door.drop()
        await usable(connection)
    messages = [record.getMessage() for record in caplog.records]
    assert messages[0].endswith(": no answer within 50 ms")
    assert messages[-1] == "Redis is used again"
    assert messages.count(messages[-1]) == messages.count(messages[0]) == 1


async def test_a_busy_event_loop_is_no_late_answer(redis_url: str) -> None:
    seconds = 0.5
    connection = Connection(redis_url.replace(PATIENCE, f"socket_timeout={seconds}"))
    await connection.open()
    asked = asyncio.create_task(connection.get("key"))
    await asyncio.sleep(0)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
    assert await asked == [None]
    connection.close()


async def test_a_wrong_password_is_logged_and_given_as_the_reason(
    redis_url: str, client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    client.acl_setuser("ann", enabled=True, passwords=["+right"], keys=["*"], commands=["+@all"])
    address = urlsplit(redis_url)
    with caplog.at_level(logging.WARNING, "supervisor_mcp.cache.connection"):
        wrong = Connection(f"redis://ann:wrong@127.0.0.1:{address.port}/0?{PATIENCE}")
        await wrong.open()
    assert wrong.reason == "Redis refuses the password"
    with pytest.raises(ConnectionFailure, match="Redis refuses the password"):
        await wrong.get("key")
    (record,) = caplog.records
    assert "invalid username-password pair" in record.getMessage()
    assert "wrong" not in record.getMessage().split(":", 1)[1].replace("password", "")
    wrong.close()


async def test_a_redis_without_the_password_that_it_wants_is_named_too() -> None:
    with valkey.alone() as port, redis.Redis(port=port) as own:
        own.config_set("requirepass", "right")
        connection = Connection(f"redis://127.0.0.1:{port}/0?{PATIENCE}")
        await connection.open()
        assert connection.reason == "Redis refuses the password"
        connection.close()


async def test_a_cluster_is_refused_in_words() -> None:
    with valkey.cluster() as port:
        connection = Connection(f"redis://127.0.0.1:{port}/0?{PATIENCE}")
        with pytest.raises(Misconfigured, match="runs as a cluster, which is not supported"):
            await connection.examine()


async def test_a_primary_that_became_a_replica_is_left(redis_url: str) -> None:
    with valkey.alone() as port, redis.Redis(port=port) as own:
        connection = Connection(f"redis://127.0.0.1:{port}/0?{PATIENCE}")
        await connection.open()
        own.execute_command("REPLICAOF", "127.0.0.1", urlsplit(redis_url).port)
        assert await connection.check() == "Redis answers READONLY"
        own.execute_command("REPLICAOF", "NO", "ONE")
        await usable(connection)
        connection.close()


async def test_a_script_that_redis_has_forgotten_is_sent_again(
    redis_url: str, client: redis.Redis
) -> None:
    connection = Connection(redis_url)
    assert await connection.check() is None
    client.script_flush()
    assert await connection.check() is None
    connection.close()


async def _compute() -> Computed:
    return Computed(b"{}", "11:11:")
