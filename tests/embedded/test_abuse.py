from __future__ import annotations

import os
import struct
from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.embedded.conftest import connect
from tests.embedded.raw import Connection, extended, message, query, startup
from tests.support.waiting import eventually


@pytest.fixture
def bystander(url: str) -> Iterator[psycopg.Connection]:
    """A connection that has to go on working."""
    with connect(url) as connection:
        yield connection
        assert connection.execute("select 1").fetchone() == (1,)


@pytest.mark.parametrize(
    ("garbage", "sqlstate"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"08P01"),
        (b"\xff" * 64, b"08P01"),
        (b"\0" * 64, b"08P01"),
        (struct.pack("!ii", 8, 131072), b"0A000"),
        (struct.pack("!ii", 2**31 - 1, 196608), b"08P01"),
    ],
    ids=["http", "ones", "zeros", "version 2", "oversized"],
)
def test_garbage_instead_of_a_startup_ends_that_connection(
    url: str, bystander: psycopg.Connection, garbage: bytes, sqlstate: bytes
) -> None:
    with Connection(url) as connection:
        connection.socket.sendall(garbage)
        refusal = connection.rest()
    assert refusal[:1] == b"E"
    assert b"C%s\0" % sqlstate in refusal


@pytest.mark.parametrize(
    "garbage",
    [
        b"\xff\xfe\xfd\xfc\xfb\xfa",
        b"Q\0\0\0\3",
        b"Q\xff\xff\xff\xff",
        b"p\0\0\0\5\0",
    ],
    ids=["type", "short", "negative", "password"],
)
def test_garbage_after_the_startup_ends_that_connection_with_08p01(
    url: str, bystander: psycopg.Connection, garbage: bytes
) -> None:
    with Connection(url).begin() as connection:
        connection.socket.sendall(garbage)
        assert b"C08P01\0" in connection.rest()


def test_a_message_above_the_limit_ends_its_connection_with_54000(
    url: str, bystander: psycopg.Connection
) -> None:
    with connect(url) as large, pytest.raises(psycopg.OperationalError) as caught:
        large.execute("select length(%s)", (b"x" * (64 * 1024 * 1024),), binary=True)
    assert "the limit is 67108864 bytes" in str(caught.value)
    assert "COPY" in str(caught.value)


@pytest.mark.parametrize(
    "malformed",
    [
        message(b"Q", b"select 1"),
        message(b"P", b"\0select 1"),
        message(b"B", b"\0\0\0\7"),
        message(b"E", b""),
        message(b"D", b"X\0"),
        message(b"F", b"\0\0\0\1\0\0\0\1\0\0"),
    ],
    ids=["query", "parse", "bind", "execute", "describe", "call"],
)
def test_a_malformed_message_of_a_known_type_leaves_the_server_usable(
    url: str, bystander: psycopg.Connection, malformed: bytes
) -> None:
    with Connection(url).begin() as connection:
        connection.socket.sendall(malformed + b"S\0\0\0\4")
        while (answer := connection.receive())[0] not in (b"E", b"Z"):
            pass
        assert answer[0] == b"E"


@given(garbage=st.binary(min_size=1, max_size=200))
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_bytes_after_the_startup_leave_the_server_usable(
    url: str, bystander: psycopg.Connection, garbage: bytes
) -> None:
    with Connection(url).begin() as connection:
        connection.socket.sendall(garbage)
    assert bystander.execute("select 1").fetchone() == (1,)


@pytest.mark.parametrize("whole", [startup(user="postgres"), b""], ids=["startup", "nothing"])
def test_a_half_sent_startup_delays_no_other_client(
    url: str, bystander: psycopg.Connection, whole: bytes
) -> None:
    with Connection(url) as connection:
        connection.socket.sendall(whole[: len(whole) // 2])
        assert bystander.execute("select 1").fetchone() == (1,)


def test_a_half_sent_message_delays_no_other_client_and_runs_nothing(
    url: str, bystander: psycopg.Connection
) -> None:
    whole = query("create table half_sent ()")
    with Connection(url).begin() as connection:
        connection.socket.sendall(whole[:-3])
        assert bystander.execute("select to_regclass('half_sent')").fetchone() == (None,)
    assert bystander.execute("select to_regclass('half_sent')").fetchone() == (None,)


def test_a_client_that_never_reads_its_answer_delays_no_other_client(
    url: str, bystander: psycopg.Connection
) -> None:
    with Connection(url).begin() as deaf:
        deaf.socket.sendall(query("select repeat('x', 30000000)"))
        for _ in range(3):
            assert bystander.execute("select 1").fetchone() == (1,)


def test_two_hundred_connections_are_served_and_leave_no_descriptor(
    shared: object, url: str, bystander: psycopg.Connection
) -> None:
    pid = getattr(shared, "pid")  # noqa: B009
    before = len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208
    connections = [Connection(url).begin() for _ in range(200)]
    for connection in connections:
        connection.socket.sendall(query("select 1"))
        assert [k for k, _ in connection.until_ready()] == [b"T", b"D", b"C", b"Z"]
        connection.socket.close()
    eventually(lambda: len(os.listdir(f"/proc/{pid}/fd")) <= before + 2)  # noqa: PTH208


@given(data=st.data())
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_messages_cut_anywhere_get_the_same_answer(url: str, data: st.DataObject) -> None:
    sent = b"".join(extended(f"select {i}, '{'x' * i * 50}'") for i in range(12)) + b"S\0\0\0\4"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=8)))
    with Connection(url).begin() as connection:
        for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
            connection.socket.sendall(sent[start:end])
        rows = [body for kind, body in connection.until_ready() if kind == b"D"]
    assert [len(row) for row in rows] == [10 + len(str(i)) + i * 50 for i in range(12)]
