"""Remotes to probe: FastMCP servers, and sockets that answer what a test says."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

# FastMCP imports it late, which fails once a library has made a metaclass that is an ABC.
import key_value.aio.stores.memory  # noqa: F401
import uvicorn
from fastmcp import FastMCP
from starlette.types import ASGIApp, Receive, Scope, Send

from supervisor_mcp.background.conversation import Remote
from tests.support.waiting import eventually_async

NEW_PROTOCOL = "2026-07-28"
Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def server(tools: Sequence[str] = ("add", "search")) -> FastMCP:
    """An MCP server with tools of these names."""
    made = FastMCP("remote", version="1.0")
    for name in tools:

        def tool(value: int) -> int:
            """Return the value."""
            return value

        made.tool(tool, name=name)
    return made


@asynccontextmanager
async def serving(app: ASGIApp, lifespan: Literal["on", "off"] = "on") -> AsyncIterator[int]:
    """Serve an application on a loopback port, and give the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = uvicorn.Server(
            uvicorn.Config(
                app,
                log_level="critical",
                ws="none",
                lifespan=lifespan,
                timeout_graceful_shutdown=1,
            )
        )
        task = asyncio.create_task(running.serve(sockets=[listener]))

        async def started() -> bool:
            return running.started

        await eventually_async(started, "the start of the remote")
        try:
            yield listener.getsockname()[1]
        finally:
            running.should_exit = True
            await task


@asynccontextmanager
async def mcp_server(
    made: FastMCP | None = None, *, wrapped: Callable[[ASGIApp], ASGIApp] = lambda app: app
) -> AsyncIterator[Remote]:
    """Run an MCP server; `wrapped` changes how it answers."""
    app = (made or server()).http_app(path="/mcp")
    async with serving(wrapped(app)) as port:
        yield Remote("streamable-http", f"http://127.0.0.1:{port}/mcp")


@asynccontextmanager
async def sse_server(made: FastMCP | None = None) -> AsyncIterator[Remote]:
    """Run an MCP server of the transport SSE."""
    app = (made or server()).http_app(path="/sse", transport="sse")
    async with serving(app) as port:
        yield Remote("sse", f"http://127.0.0.1:{port}/sse")


def of_old_protocol(app: ASGIApp) -> ASGIApp:
    """An application that knows no protocol without sessions."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] == "http"
            and (
                b"mcp-protocol-version",
                NEW_PROTOCOL.encode(),
            )
            in scope["headers"]
        ):
            error = {"code": -32600, "message": "Bad Request: Unsupported protocol version"}
            await _send_json(send, 400, {"jsonrpc": "2.0", "id": "server-error", "error": error})
        else:
            await app(scope, receive, send)

    return answer


def slow_by(seconds: float) -> Callable[[ASGIApp], ASGIApp]:
    """What makes an application wait before each answer."""

    def wrapped(app: ASGIApp) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                await asyncio.sleep(seconds)
            await app(scope, receive, send)

        return answer

    return wrapped


def failing_at(method: str, status: int) -> Callable[[ASGIApp], ASGIApp]:
    """What makes an application answer a status to one method of MCP."""

    def wrapped(app: ASGIApp) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if (b"mcp-method", method.encode()) in scope.get("headers", ()):
                await _send_json(send, status, {"detail": "no"})
            else:
                await app(scope, receive, send)

        return answer

    return wrapped


def moved(old: str, new: str) -> Callable[[ASGIApp], ASGIApp]:
    """What makes an application redirect from a path to another one."""

    def wrapped(app: ASGIApp) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if scope.get("path") == old:
                headers = [(b"location", new.encode())]
                await send({"type": "http.response.start", "status": 307, "headers": headers})
                await send({"type": "http.response.body"})
            else:
                await app(scope, receive, send)

        return answer

    return wrapped


@asynccontextmanager
async def refusing(code: int, message: str) -> AsyncIterator[Remote]:
    """Run a server that answers every request with an error of MCP."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            part = await receive()
            body += part.get("body", b"")
            if not part.get("more_body"):
                break
        error = {"code": code, "message": message}
        await _send_json(
            send, 200, {"jsonrpc": "2.0", "id": json.loads(body).get("id"), "error": error}
        )

    async with serving(answer, lifespan="off") as port:
        yield Remote("streamable-http", f"http://127.0.0.1:{port}/mcp")


@asynccontextmanager
async def listening(handle: Handle, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Run a socket that handles each connection as a test says; gives its port."""

    async def handled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handle(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    tasks: set[asyncio.Task[None]] = set()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(handled(reader, writer)))

    listener = await asyncio.start_server(begin, "127.0.0.1", 0, ssl=tls)
    async with listener:
        yield listener.sockets[0].getsockname()[1]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def answering(
    status: str = "200 OK",
    body: bytes = b"",
    *,
    headers: Sequence[str] = (),
    tls: ssl.SSLContext | None = None,
    heads: list[str] | None = None,
) -> AsyncIterator[Remote]:
    """Run a web server that answers the same to every request, and keeps their `heads`."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            sent, _ = await read_request(reader)
            if heads is not None:
                heads.append(sent)
            head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
            writer.write("\r\n".join(head).encode() + body)
            await writer.drain()

    async with listening(handle, tls) as port:
        scheme = "http" if tls is None else "https"
        yield Remote("streamable-http", f"{scheme}://127.0.0.1:{port}/mcp")


@asynccontextmanager
async def sending(parts: bytes, *, endless: bytes = b"") -> AsyncIterator[Remote]:
    """Run a socket that sends bytes after a request, and then closes or goes on for ever."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(parts)
        await writer.drain()
        while endless:
            writer.write(endless)
            await writer.drain()

    async with listening(handle) as port:
        yield Remote("streamable-http", f"http://127.0.0.1:{port}/mcp")


async def read_request(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """The head and the body of a request."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = next(
        (
            int(line.partition(":")[2])
            for line in head.lower().splitlines()
            if line.startswith("content-length:")
        ),
        0,
    )
    return head, await reader.readexactly(length)


async def _send_json(send: Send, status: int, body: dict[str, Any]) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})
