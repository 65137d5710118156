"""The shared connection for GET."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
import trustme

from supervisor_mcp.cache import connection as module
from supervisor_mcp.cache.connection import Connection, ConnectionFailure, Misconfigured
from tests.support import proxy, valkey
from tests.support.ports import free_port
from tests.support.valkey import PATIENCE
from tests.support.waiting import eventually_async


@pytest.fixture
async def connection(redis_url: str) -> AsyncIterator[Connection]:
    made = Connection(redis_url)
    yield made
    made.close()


async def get_again(connection: Connection, key: str) -> list[bytes | None]:
    """The value, once there is a connection again."""

    async def get() -> list[bytes | None]:
        try:
            return await connection.get(key)
        except ConnectionFailure:
            return []

    return await eventually_async(get, "the answer")


async def test_the_value_of_a_missing_key_is_none(connection: Connection) -> None:
    assert await connection.get("nothing") == [None]


async def test_every_task_gets_the_value_of_its_own_key(
    connection: Connection, client: redis.Redis
) -> None:
    client.mset({f"key:{n}": b"\r\n" * n + b"%d" % n for n in range(500)})
    values = await asyncio.gather(*(connection.get(f"key:{n}") for n in range(500)))
    assert values == [[b"\r\n" * n + b"%d" % n] for n in range(500)]


async def test_a_cancelled_call_does_not_shift_the_answers(
    connection: Connection, client: redis.Redis
) -> None:
    client.mset({f"key:{n}": n for n in range(300)})
    for turn in range(20):
        calls = [asyncio.create_task(connection.get(f"key:{n}")) for n in range(300)]
        await asyncio.sleep(0)
        for cancelled in calls[turn::3]:
            cancelled.cancel()
        answers = await asyncio.gather(*calls, return_exceptions=True)
        for n, answer in enumerate(answers):
            assert isinstance(answer, asyncio.CancelledError) or answer == [b"%d" % n]


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    """The context of a server that demands a certificate of its clients."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


async def test_the_tls_options_of_the_url_are_honoured(
    redis_url: str,
    client: redis.Redis,
    authority: trustme.CA,
    server_tls: ssl.SSLContext,
    tmp_path: Path,
) -> None:
    client.set("key", "value")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    identity = authority.issue_cert("client@example.org")
    identity.private_key_and_cert_chain_pem.write_to_path(tmp_path / "client.pem")
    address = urlsplit(redis_url)
    async with proxy.start(str(address.hostname), address.port or 0, server_tls) as tls:
        trusted = f"ssl_ca_certs={tmp_path}/ca.pem"
        own = f"ssl_certfile={tmp_path}/client.pem&ssl_keyfile={tmp_path}/client.pem"
        reached = Connection(f"rediss://127.0.0.1:{tls.port}/0?{trusted}&{own}")
        await reached.open()
        assert await reached.get("key") == [b"value"]
        reached.close()
        for options in (own, trusted, f"{own}&ssl_cert_reqs=required"):
            refused = Connection(f"rediss://127.0.0.1:{tls.port}/0?{options}")
            await refused.open()
            with pytest.raises(ConnectionFailure):
                await refused.get("key")
            if own in options:
                assert refused.reason == "the certificate of Redis is not trusted"
            refused.close()


async def test_a_server_without_tls_is_named_where_the_url_asks_for_it() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"-ERR Protocol error\r\n")
        writer.close()
        await writer.wait_closed()

    plain = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with plain:
        connection = Connection(f"rediss://127.0.0.1:{plain.sockets[0].getsockname()[1]}/0")
        await connection.open()
        assert connection.reason == "Redis does not speak TLS as the URL asks"
        connection.close()


async def test_the_timeout_of_the_url_is_honoured(redis_url: str, client: redis.Redis) -> None:
    impatient = Connection(redis_url.replace(PATIENCE, "socket_timeout=0.2"))
    assert await impatient.get("key") == [None]
    client.client_pause(2000)
    with pytest.raises(ConnectionFailure):
        await asyncio.wait_for(impatient.get("key"), 1.5)
    impatient.close()


async def test_a_url_without_a_database_number_names_the_first_one(
    redis_url: str, client: redis.Redis
) -> None:
    client.set("key", "first")
    connection = Connection(redis_url.replace("/0", "/"))
    assert await connection.get("key") == [b"first"]
    connection.close()


async def test_what_is_open_is_not_opened_again(connection: Connection) -> None:
    await connection.open()
    await connection.open()
    assert connection._opening is None


async def test_a_call_waits_for_a_connection_no_longer_than_for_an_answer() -> None:
    left = asyncio.Event()

    async def keep_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()
        left.set()

    silent = await asyncio.start_server(keep_silent, "127.0.0.1", 0)
    async with silent, asyncio.timeout(10):
        connection = Connection(f"redis://127.0.0.1:{silent.sockets[0].getsockname()[1]}/0")
        with pytest.raises(ConnectionFailure, match=r"^no connection within 50 ms$"):
            await connection.get("key")
        connection.close()
        await left.wait()


async def test_pauses_between_attempts_to_connect_double_up_to_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []
    enough = asyncio.Event()

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 6:
            enough.set()
            await asyncio.Event().wait()

    monkeypatch.setattr("asyncio.sleep", pause)
    connection = Connection(f"redis://127.0.0.1:{free_port()}/0")
    await connection.open()
    await enough.wait()
    connection.close()
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0?ssl_sert=x", "http://127.0.0.1"])
def test_a_url_that_redis_py_refuses_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="Redis URL"):
        Connection(url)


async def test_an_outage_is_logged_once_and_so_is_its_end(
    redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    address = urlsplit(redis_url)
    caplog.set_level("INFO", "supervisor_mcp.cache.connection")
    async with proxy.start(str(address.hostname), address.port or 0) as door:
        door.refusing = True
        shared = Connection(f"redis://127.0.0.1:{door.port}/0?{PATIENCE}")
        for _ in range(3):
            with pytest.raises(ConnectionFailure):
                await shared.get("key")
            await asyncio.sleep(0)
        door.refusing = False
        assert await get_again(shared, "key") == [None]
        shared.close()
    levels = [record.levelname for record in caplog.records]
    assert levels == ["WARNING", "INFO"]


async def test_a_killed_connection_fails_what_waits_and_is_replaced(
    redis_url: str, client: redis.Redis
) -> None:
    client.set("key", "value")
    address = urlsplit(redis_url)
    async with proxy.start(str(address.hostname), address.port or 0) as breakable:
        connection = Connection(f"redis://127.0.0.1:{breakable.port}/0?{PATIENCE}")
        for _ in range(5):
            assert await get_again(connection, "key") == [b"value"]
            waiting = [asyncio.create_task(connection.get("key")) for _ in range(50)]
            await asyncio.sleep(0)
            breakable.drop()
            answers = await asyncio.gather(*waiting, return_exceptions=True)
            assert all(a == [b"value"] or isinstance(a, ConnectionFailure) for a in answers)
        connection.close()


async def test_nobody_at_the_address_is_an_error_at_once() -> None:
    connection = Connection(f"redis://127.0.0.1:{free_port()}/0?{PATIENCE}")
    with pytest.raises(ConnectionFailure):
        await connection.get("key")


async def test_after_a_failure_there_is_a_pause_before_the_next_attempt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE_SECONDS", 60.0)
    attempts = 0

    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal attempts
        attempts += 1
        writer.transport.abort()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        connection = Connection(f"redis://127.0.0.1:{port}/0?{PATIENCE}")
        for _ in range(5):
            with pytest.raises(ConnectionFailure):
                await connection.get("key")
    assert attempts == 1


async def test_a_refused_command_is_an_error_and_the_connection_stays(
    redis_url: str, client: redis.Redis
) -> None:
    client.acl_setuser(
        "blind",
        enabled=True,
        passwords=["+secret"],
        keys=["seen", "supervisor:*"],
        commands=["+@all"],
    )
    client.set("seen", "value")
    address = urlsplit(redis_url)
    connection = Connection(f"redis://blind:secret@{address.hostname}:{address.port}/0?{PATIENCE}")
    with pytest.raises(ConnectionFailure, match="permission"):
        await connection.get("hidden")
    assert await connection.get("seen") == [b"value"]
    connection.close()


async def test_several_keys_are_answered_in_their_order(
    connection: Connection, client: redis.Redis
) -> None:
    client.mset({"a": 1, "b": 2})
    assert await connection.get("b", "none", "a") == [b"2", None, b"1"]


async def test_a_password_and_a_database_number_of_the_url_are_used(
    redis_url: str, client: redis.Redis
) -> None:
    client.acl_setuser(
        "reader", enabled=True, passwords=["+secret"], keys=["*"], commands=["+@all"]
    )
    with redis.Redis.from_url(redis_url.replace("/0", "/3")) as other:
        other.set("key", "third")
    address = urlsplit(redis_url)
    connection = Connection(f"redis://reader:secret@{address.hostname}:{address.port}/3?{PATIENCE}")
    assert await connection.get("key") == [b"third"]
    connection.close()
    wrong = Connection(f"redis://reader:wrong@{address.hostname}:{address.port}/3?{PATIENCE}")
    with pytest.raises(ConnectionFailure):
        await wrong.get("key")


@pytest.mark.server
async def test_a_sentinel_and_a_cluster_are_known_whatever_the_database_number(
    tmp_path: Path,
) -> None:
    with valkey.sentinel(tmp_path) as sentinel, valkey.cluster() as cluster:
        for port, mode in ((sentinel, "a Sentinel"), (cluster, "a cluster")):
            # A server says what it is in a map, or in a list before version 3 of the protocol.
            for rest in ("0", "1", "0?protocol=2", "0?protocol=3"):
                with pytest.raises(Misconfigured, match=mode):
                    await Connection(f"redis://127.0.0.1:{port}/{rest}").examine()


@pytest.mark.server
async def test_a_database_number_that_redis_lacks_is_named() -> None:
    with valkey.alone(databases="2") as port:
        await Connection(f"redis://127.0.0.1:{port}/1").examine()
        with pytest.raises(ConnectionFailure) as caught:
            await Connection(f"redis://127.0.0.1:{port}/2").examine()
    assert caught.value.reason == "Redis has no database 2"


@pytest.mark.server
async def test_a_unix_socket_is_spoken_to(tmp_path: Path) -> None:
    with valkey.alone_by_socket(tmp_path / "v.sock") as url:
        connection = Connection(url)
        assert await connection.get("nothing") == [None]
        connection.close()
