"""Nothing of a request that failed stays in memory until the garbage collector comes by."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from psycopg.conninfo import make_conninfo
from starlette.types import Message

from supervisor_mcp import db
from supervisor_mcp.authentication import authenticator
from supervisor_mcp.config import Settings
from supervisor_mcp.server import asgi, recheck
from supervisor_mcp.server.asgi import Application
from tests.support.garbage import collected_by_nobody
from tests.support.ports import free_port
from tests.support.timescaledb import Server

KEY = "0123456789abcdef0123456789abcdef"
ANSWER_SECONDS = 20
SAMPLE = {"name": "sales", "source": "shop"}


class Service:
    """The application in this process: what an answer leaves behind can be counted."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def answer(
        self,
        method: str,
        path: str,
        *parts: object,
        key: str = KEY,
        meanwhile: Callable[[], Awaitable[object]] | None = None,
    ) -> tuple[int, Any]:
        """The status and the document; between parts of the body comes what is done meanwhile."""
        sent = [p if isinstance(p, bytes) else json.dumps(p).encode() for p in parts] or [b""]
        waiting = [
            {"type": "http.request", "body": part, "more_body": place < len(sent)}
            for place, part in enumerate(sent, 1)
        ]
        answers: list[Message] = []

        async def receive() -> Message:
            if meanwhile is not None and len(waiting) < len(sent):
                await meanwhile()
            return waiting.pop(0) if waiting else await asyncio.Future()

        async def send(message: Message) -> None:
            answers.append(message)

        path, _, query = path.partition("?")
        headers = {"host": "localhost", "content-type": "application/json", "x-api-key": key}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        async with asyncio.timeout(ANSWER_SECONDS):
            await self._application(scope, receive, send)
        body = b"".join(answer.get("body", b"") for answer in answers)
        return answers[0]["status"], json.loads(body)


@asynccontextmanager
async def serving(database_url: str, redis_url: str) -> AsyncIterator[Service]:
    settings = Settings(
        database_url=database_url,
        redis_url=redis_url,
        authentication="on",
        admin_key=KEY,
        key_secret=KEY,
        probe=False,
        delivery=False,
    )
    application = asgi.create(settings)
    orders: asyncio.Queue[Message] = asyncio.Queue()
    answers: asyncio.Queue[Message] = asyncio.Queue()
    living = asyncio.create_task(application({"type": "lifespan"}, orders.get, answers.put))
    await orders.put({"type": "lifespan.startup"})
    assert (await answers.get())["type"] == "lifespan.startup.complete"
    try:
        yield Service(application)
    finally:
        await orders.put({"type": "lifespan.shutdown"})
        await living


@pytest.fixture(scope="module")
def database_url(database_server: Server) -> Iterator[str]:
    """A database of these tests' own: what the service stores stays."""
    with database_server.deployed() as url:
        yield url


@pytest.fixture
async def service(database_url: str, redis_url: str) -> AsyncIterator[Service]:
    async with serving(database_url, redis_url) as running:
        yield running


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/query/agg?window=long", b"", 422),
        ("GET", "/query/agg?window=7d&kind=nothing", b"", 404),
        ("GET", "/query/facts?from=then", b"", 422),
        ("POST", "/query/sql", {"sql": "select nothing"}, 422),
        ("POST", "/ingest/metrics", [{**SAMPLE, "value": "many"}], 422),
        ("POST", "/ingest/facts", b"[{", 400),
        ("POST", "/registry/servers/nobody/heartbeat", b"", 404),
        ("GET", "/nowhere", b"", 404),
    ],
)
async def test_a_refused_request_leaves_nothing_behind(
    service: Service, method: str, path: str, body: object, status: int
) -> None:
    with collected_by_nobody() as left:
        assert (await service.answer(method, path, body))[0] == status
        assert await left() == []


async def test_heartbeats_that_fail_together_leave_nothing_behind(service: Service) -> None:
    with collected_by_nobody() as left:
        paths = [f"/registry/servers/nobody-{n}/heartbeat" for n in range(3)]
        calls = [service.answer("POST", path) for path in paths]
        assert [status for status, _ in await asyncio.gather(*calls)] == [404, 404, 404]
        assert await left() == []


@pytest.mark.parametrize("key", ["no key", f"sk_{'0' * 8}_{'0' * 43}"])
async def test_unknown_credentials_leave_nothing_behind(service: Service, key: str) -> None:
    with collected_by_nobody() as left:
        assert (await service.answer("GET", "/query/kinds", key=key))[0] == 401
        assert await left() == []


async def test_a_key_that_ends_within_a_body_leaves_nothing_behind(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It is verified again for each part.
    monkeypatch.setattr(authenticator, "KEY_SECONDS", 0)
    monkeypatch.setattr(recheck, "KEY_SECONDS", -1)
    document = {"owner": "shop", "scopes": ["ingest"]}
    _, made = await service.answer("POST", "/access/keys", document)

    async def revoke() -> None:
        await service.answer("DELETE", f"/access/keys/{made['id']}")

    with collected_by_nobody() as left:
        parts = (b"[", b"]")
        answer = await service.answer(
            "POST", "/ingest/metrics", *parts, key=made["key"], meanwhile=revoke
        )
        assert answer[0] == 401
        assert await left() == []


async def test_a_database_that_is_away_leaves_nothing_behind(
    database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "POOL_SECONDS", 0.1)
    nowhere = make_conninfo(database_url, host="127.0.0.1", port=free_port())
    async with serving(nowhere, redis_url) as service:
        with collected_by_nobody() as left:
            for method, path, body in (
                ("POST", "/ingest/metrics", [{**SAMPLE, "value": 1}]),
                ("GET", "/query/agg?window=7d", b""),
                ("POST", "/query/sql", {"sql": "select 1"}),
                ("POST", "/registry/servers/nobody/heartbeat", b""),
            ):
                assert (await service.answer(method, path, body))[0] == 503
            assert await left() == []


async def test_a_cache_that_is_away_leaves_nothing_behind(database_url: str) -> None:
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    async with serving(database_url, nowhere) as service:
        with collected_by_nobody() as left:
            assert (await service.answer("GET", "/query/agg?window=7d"))[0] == 200
            assert await left() == []
