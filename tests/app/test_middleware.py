"""The composition root: mounts, one lifespan, request ids."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from supervisor_mcp.config import Settings
from supervisor_mcp.operations import context
from supervisor_mcp.server.asgi import Application, create
from supervisor_mcp.server.middleware import Message, Receive, Scope, Send
from tests.support.ports import free_port


class Child:
    """An application to mount, which notes what it is told."""

    def __init__(self, *, starts: bool = True) -> None:
        self.starts = starts
        self.life: list[tuple[str, asyncio.Task[Any] | None]] = []
        self.scopes: list[Scope] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.scopes.append(scope)
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        for event in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{event}"
            self.life.append((event, asyncio.current_task()))
            if not self.starts:
                await send({"type": "lifespan.startup.failed", "message": "no licence"})
                return
            await send({"type": f"lifespan.{event}.complete"})


def application(**mounts: Child) -> Application:
    nowhere = f"postgresql://postgres@127.0.0.1:{free_port()}/postgres"
    made = context.build(Settings(database_url=nowhere, pool_size=1))
    return Application(made, {f"/{name}": m for name, m in mounts.items()}, access_log=False)


@asynccontextmanager
async def living(served: Application) -> AsyncIterator[list[Message]]:
    """Run the lifespan; what it told so far."""
    orders: asyncio.Queue[Message] = asyncio.Queue()
    told: asyncio.Queue[Message] = asyncio.Queue()
    task = asyncio.create_task(served({"type": "lifespan"}, orders.get, told.put))
    await orders.put({"type": "lifespan.startup"})
    seen = [await told.get()]
    yield seen
    await orders.put({"type": "lifespan.shutdown"})
    await task
    while not told.empty():
        seen.append(told.get_nowait())


def client(served: Application) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=served)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


async def test_a_child_lives_in_one_task_of_its_own() -> None:
    child = Child()
    async with living(application(mcp=child)) as told:
        assert [event for event, _ in child.life] == ["startup"]
    assert [message["type"] for message in told] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
    (_, first), (_, last) = child.life
    assert first is last is not asyncio.current_task()


async def test_a_child_that_does_not_start_stops_the_start() -> None:
    async with living(application(mcp=Child(starts=False))) as told:
        assert told == [{"type": "lifespan.startup.failed", "message": "no licence"}]


@pytest.mark.parametrize("path", ["/mcp", "/mcp/", "/mcp/deep"])
async def test_a_mounted_path_is_passed_on_whole_with_its_request_id(path: str) -> None:
    child = Child()
    async with client(application(mcp=child)) as http:
        answer = await http.post(path, headers={"X-Request-Id": "mine"})
    assert (answer.status_code, answer.headers["x-request-id"]) == (204, "mine")
    [scope] = child.scopes
    assert (scope["path"], scope["supervisor.request_id"]) == (path, "mine")


@pytest.mark.parametrize("path", ["/livez", "/mcpx", "/m"])
async def test_other_paths_go_to_rest(path: str) -> None:
    child = Child()
    async with client(application(mcp=child)) as http:
        await http.get(path)
    assert child.scopes == []


def test_without_a_database_there_is_no_application() -> None:
    with pytest.raises(ValueError, match="SUPERVISOR_DATABASE_URL"):
        create(Settings(database_url=None))
