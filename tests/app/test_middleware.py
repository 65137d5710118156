"""The composition root: mounts, one lifespan, request ids."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import Message, Receive, Scope, Send

from supervisor_mcp.config import Settings
from supervisor_mcp.operations import context
from supervisor_mcp.server.asgi import Application, create
from tests.support.ports import free_port


class Child:
    """An application to mount, which records requests and its lifespan."""

    def __init__(self, *, starts: bool = True) -> None:
        self.starts = starts
        self.life: list[str] = []
        self.scopes: list[Scope] = []
        self.app = Starlette(routes=[Mount("/", self.answer)], lifespan=self.living)

    @asynccontextmanager
    async def living(self, _app: Starlette) -> AsyncIterator[None]:
        if not self.starts:
            raise RuntimeError("no licence")
        # Like MCP's session manager, a task group must be left in the task that entered it.
        async with asyncio.TaskGroup():
            self.life.append("startup")
            yield
        self.life.append("shutdown")

    async def answer(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def application(**mounts: Child) -> Application:
    nowhere = f"postgresql://postgres@127.0.0.1:{free_port()}/postgres"
    made = context.build(Settings(database_url=nowhere, pool_size=1))
    return Application(made, {f"/{n}": child.app for n, child in mounts.items()}, access_log=None)


@asynccontextmanager
async def living(served: Application) -> AsyncIterator[list[Message]]:
    """Run the lifespan; the messages it has sent so far."""
    orders: asyncio.Queue[Message] = asyncio.Queue()
    answers: asyncio.Queue[Message] = asyncio.Queue()
    task = asyncio.create_task(served({"type": "lifespan"}, orders.get, answers.put))
    await orders.put({"type": "lifespan.startup"})
    seen = [await answers.get()]
    yield seen
    await orders.put({"type": "lifespan.shutdown"})
    await task
    while not answers.empty():
        seen.append(answers.get_nowait())


def client(served: Application) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=served)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


async def test_a_child_lives_as_long_as_the_application() -> None:
    child = Child()
    async with living(application(mcp=child)) as sent:
        assert child.life == ["startup"]
    assert child.life == ["startup", "shutdown"]
    assert [message["type"] for message in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


async def test_a_child_that_does_not_start_stops_the_start() -> None:
    async with living(application(mcp=Child(starts=False))) as sent:
        assert sent == [{"type": "lifespan.startup.failed", "message": "no licence"}]


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
