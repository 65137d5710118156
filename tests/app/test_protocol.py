"""Limits on the size and the time of requests, and which status is counted, on real sockets."""

from __future__ import annotations

import asyncio
import json
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, ClassVar

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from supervisor_mcp.server import launch, protocol
from supervisor_mcp.server.guard import Guard
from supervisor_mcp.server.middleware import Middleware
from supervisor_mcp.server.protocol import Protocol
from tests.support.waiting import eventually_async

LIMIT = Protocol.head_bytes
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
POST = b"POST / HTTP/1.1\r\nHost: localhost\r\n"
LARGE_PARTS = 400
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


class Quick(Protocol):
    """The protocol with limits that a test can wait for."""

    head_seconds: ClassVar[float] = 0.3
    body_seconds: ClassVar[float] = 0.6
    linger_seconds: ClassVar[float] = 0.3
    stall_seconds: ClassVar[float] = 0.3


class Running:
    """A server with one application, and the status of every request that it logged."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.logged: list[Any] = []
        self.answering = asyncio.Event()
        self.released = asyncio.Event()
        self.left = asyncio.Event()
        self.stop: Callable[[], None] = lambda: None

    async def application(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the length of the body, /stream with a part now and one when released.

        /large is a stream that no socket takes at once; /events is one too, of events.
        """
        if scope["path"] == "/events":
            scope["supervisor.stream"] = self
        if scope["path"] in ("/large", "/events"):
            await StreamingResponse(self._large_parts())(scope, receive, send)
            return
        if scope["path"] == "/stream":
            await StreamingResponse(self._parts())(scope, receive, send)
            return
        if scope["path"] == "/refused":
            await PlainTextResponse("no", 413)(scope, receive, send)
            return
        size = len(await Request(scope, receive).body())
        await PlainTextResponse(f"{size} bytes")(scope, receive, send)

    async def _parts(self) -> AsyncIterator[bytes]:
        self.answering.set()
        yield b"first"
        await self.released.wait()
        yield b"last"

    async def _large_parts(self) -> AsyncIterator[bytes]:
        for _ in range(LARGE_PARTS):
            yield b"x" * LIMIT

    def leave(self) -> None:
        """Note that the client of /events has left."""
        self.left.set()

    async def close(self) -> None:
        """Do nothing: the parts have an end."""

    async def connect(self) -> tuple[StreamReader, StreamWriter]:
        """A connection to it."""
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def exchange(self, *parts: bytes) -> bytes:
        """What it answers to bytes, until it ends the connection."""
        reader, writer = await self.connect()
        for part in parts:
            writer.write(part)
        answer = await reader.read()
        writer.close()
        return answer


@asynccontextmanager
async def serving(*, keep_alive: int = 75) -> AsyncIterator[Running]:
    with launch.reserve("127.0.0.1", 0) as listener:
        listener.listen()
        running = Running(listener.getsockname()[1])
        application: ASGIApp = Middleware(
            running.application, {}, Guard(None, None), running.logged.append
        )
        configuration = uvicorn.Config(
            application,
            http=Quick,
            ws="none",
            lifespan="off",
            log_config=None,
            timeout_keep_alive=keep_alive,
        )
        server = uvicorn.Server(configuration)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        running.stop = partial(setattr, server, "should_exit", True)
        yield running
        running.released.set()
        running.stop()
        await task


def problem_of(answer: bytes) -> tuple[int, str]:
    """Status and slug of an answer that ends the connection."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head
    assert b"x-content-type-options: nosniff" in head
    problem = json.loads(body)
    assert problem["request_id"].encode() in head
    assert head.startswith(b"HTTP/1.1 %d " % problem["status"])
    return problem["status"], problem["type"].rpartition(":")[2]


TOO_LARGE = (431, "headers_within_limit")


async def test_headers_up_to_the_limit_are_read() -> None:
    async with serving() as server:
        value = b"x" * (LIMIT - 100)
        answer = await server.exchange(GET + b"Connection: close\r\nX: " + value + b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "head",
    [
        GET + b"X: " + b"x" * LIMIT + b"\r\n\r\n",
        GET + b"".join(b"X%d: %s\r\n" % (n, b"x" * 100) for n in range(1000)) + b"\r\n",
        b"GET /?" + b"x" * LIMIT + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
    ids=["one", "many", "url"],
)
async def test_headers_beyond_the_limit_are_refused(head: bytes) -> None:
    async with serving() as server:
        assert problem_of(await server.exchange(head)) == TOO_LARGE
        assert server.logged == []


@pytest.mark.parametrize(
    "begin",
    [
        GET + b"X: ",
        b"GET /?",
        GET + b"X: y\r\n" * 10_000,
        CHUNKED + b"1\r\nx\r\n0\r\nX: ",
        CHUNKED + b"1\r\nx\r\n1;",
    ],
    ids=["header", "url", "headers", "trailer", "extension of a chunk"],
)
async def test_headers_without_an_end_are_refused_while_they_come(begin: bytes) -> None:
    async with serving() as server:
        endless = [begin, *[b"x" * LIMIT] * 100]
        assert problem_of(await server.exchange(*endless)) == TOO_LARGE


async def test_the_limit_is_for_each_request_of_a_connection() -> None:
    async with serving() as server:
        head = GET + b"X: " + b"x" * (LIMIT // 2) + b"\r\n\r\n"
        last = GET + b"Connection: close\r\n\r\n"
        answer = await server.exchange(*[head] * 20, last)
        assert answer.count(b"HTTP/1.1 200 ") == 21


async def test_a_large_body_is_no_header() -> None:
    async with serving() as server:
        size = 20 * LIMIT
        head = POST + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % size
        answer = await server.exchange(head, b"x" * size)
        assert answer.endswith(b"\r\n\r\n%d bytes" % size)


async def test_a_body_in_tiny_chunks_is_no_header() -> None:
    async with serving() as server:
        count = LIMIT // 4
        head = POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        answer = await server.exchange(head, b"1\r\nx\r\n" * count, b"0\r\n\r\n")
        assert answer.endswith(b"\r\n\r\n%d bytes" % count)


@pytest.mark.parametrize("sent", [b"G", GET, GET + b"X: y"])
async def test_headers_that_do_not_come_are_answered_in_time(sent: bytes) -> None:
    async with serving() as server:
        assert problem_of(await server.exchange(sent)) == (408, "headers_in_time")


async def test_headers_that_trickle_are_answered_in_time() -> None:
    async with serving() as server:
        reader, writer = await server.connect()

        writer.write(GET)
        answer = asyncio.create_task(reader.read())
        while not (await asyncio.wait({answer}, timeout=0.05))[0]:
            writer.write(b"X: y\r\n")
        assert problem_of(await answer) == (408, "headers_in_time")
        writer.close()


@pytest.mark.parametrize(
    "sent",
    [
        POST + b"Content-Length: 9\r\n\r\n",
        POST + b"Content-Length: 9\r\n\r\nx",
        CHUNKED + b"1\r\nx",
    ],
)
async def test_a_body_that_does_not_come_is_answered_in_time(sent: bytes) -> None:
    async with serving() as server:
        assert problem_of(await server.exchange(sent)) == (408, "body_in_time")
        assert [line["status"] for line in server.logged] == [408]


async def test_a_body_that_nobody_reads_ends_the_connection_in_time() -> None:
    async with serving() as server:
        sent = b"POST /refused HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx"
        answer = await server.exchange(sent)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert answer.count(b"HTTP/1.1") == 1


async def test_a_stream_is_not_cut() -> None:
    async with serving(keep_alive=1) as server:
        reader, writer = await server.connect()
        writer.write(b"GET /stream HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        await server.answering.wait()
        # By then, every limit has passed for others.
        await asyncio.gather(*map(server.exchange, (b"", GET, POST, CHUNKED)))
        server.released.set()
        assert b"last" in await reader.read()
        writer.close()


async def test_a_stream_that_its_client_does_not_read_is_not_cut() -> None:
    async with serving(keep_alive=1) as server:
        reader, writer = await server.connect()
        writer.write(b"GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        # By then, every limit has passed for others.
        await asyncio.gather(*map(server.exchange, (b"", GET, POST, CHUNKED)))
        assert (await reader.read()).endswith(b"0\r\n\r\n")
        writer.close()


async def test_a_client_that_does_not_read_its_events_is_dropped() -> None:
    async with serving() as server:
        reader, writer = await server.connect()
        writer.write(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await asyncio.wait_for(server.left.wait(), 10)
        with suppress(ConnectionResetError):
            assert not (await reader.read()).endswith(b"0\r\n\r\n")
        writer.close()


async def test_a_client_that_does_not_read_does_not_delay_a_stop() -> None:
    async with asyncio.timeout(10), serving() as server:
        reader, writer = await server.connect()
        writer.write(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await reader.readexactly(12)
    with suppress(ConnectionResetError):
        assert not (await reader.read()).endswith(b"0\r\n\r\n")
    writer.close()


async def test_an_answer_that_its_client_reads_is_whole_although_the_server_stops() -> None:
    async with serving() as server:
        reader, writer = await server.connect()
        writer.write(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await reader.readexactly(12)
        server.stop()
        assert (await reader.read()).endswith(b"0\r\n\r\n")
        writer.close()


@pytest.mark.parametrize("behind", [b"G", b"\0garbage\r\n\r\n"], ids=["slow", "malformed"])
async def test_what_comes_behind_a_request_does_not_cut_its_answer(behind: bytes) -> None:
    async with serving() as server:
        reader, writer = await server.connect()
        writer.write(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n" + behind)
        await server.answering.wait()
        await server.exchange(GET)
        server.released.set()
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert answer.count(b"HTTP/1.1") == 1
        assert answer.endswith(b"4\r\nlast\r\n0\r\n\r\n")
        writer.close()


async def test_a_request_that_waits_for_its_turn_is_not_late() -> None:
    async with serving() as server:
        reader, writer = await server.connect()
        writer.write(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        writer.write(POST + b"Content-Length: 200000\r\nConnection: close\r\n\r\n")
        await server.answering.wait()
        writer.write(b"x" * 200_000)
        await server.exchange(CHUNKED)
        server.released.set()
        assert (await reader.read()).endswith(b"200000 bytes")
        writer.close()


@pytest.mark.parametrize("sent", [b"", b"\r\n", GET + b"\r\n", GET + b"\r\n\r\n"])
async def test_an_idle_connection_is_closed_without_a_word(sent: bytes) -> None:
    async with serving(keep_alive=1) as server:
        answer = await asyncio.wait_for(server.exchange(sent), 10)
        assert answer.count(b"HTTP/1.1") == sent.count(b"GET")


@pytest.mark.parametrize(
    "chunk", [b"nonsense\r\n", b"5\r\nabcdefg\r\n", b"-1\r\n"], ids=["size", "end", "negative"]
)
@pytest.mark.parametrize("apart", [True, False])
async def test_a_malformed_chunk_is_counted_as_what_is_answered(
    chunk: bytes, *, apart: bool
) -> None:
    async with serving() as server:
        parts = (CHUNKED, b"1\r\nx\r\n", chunk) if apart else (CHUNKED + chunk,)
        assert problem_of(await server.exchange(*parts)) == (400, "request_invalid")
        assert [line["status"] for line in server.logged] == [400]


async def test_a_client_that_leaves_within_its_body_is_no_error_of_the_server() -> None:
    async with serving() as server:
        _, writer = await server.connect()
        writer.write(POST + b"Content-Length: 9\r\n\r\nx")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

        async def lines() -> list[Any]:
            return server.logged

        await eventually_async(lines, "the line of the request")
        assert [line["status"] for line in server.logged] == [499]


async def test_an_answer_is_read_by_a_client_that_is_still_sending() -> None:
    async with serving() as server:
        reader, writer = await server.connect()
        writer.write(GET + b"X: " + b"x" * LIMIT * 200)
        assert problem_of(await reader.read()) == TOO_LARGE
        writer.close()


def test_the_limits_of_production_are_those_that_are_said() -> None:
    limits = (Protocol.head_bytes, Protocol.head_seconds, Protocol.body_seconds)
    assert limits == (65536, 10.0, 60.0)
    assert (Protocol.linger_seconds, Protocol.stall_seconds) == (2.0, 30.0)
    assert protocol._slow_head().detail == "the headers did not arrive within 10 s"
    assert protocol._slow_body().detail == "the body did not arrive within 60 s"
    assert protocol._too_large().detail == "the request line and the headers exceed 64 KiB"
