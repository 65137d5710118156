"""The composition root: mounts, one lifespan, request ids, the guard, CORS, bodies in memory."""

from __future__ import annotations

import asyncio
import gzip
import logging
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import Message, Receive, Scope, Send

from supervisor_mcp import db
from supervisor_mcp.config import Settings
from supervisor_mcp.errors import Problem
from supervisor_mcp.operations import context
from supervisor_mcp.rest import bodies
from supervisor_mcp.rest.app import create_app
from supervisor_mcp.rest.budget import BODIES, LIMIT_BYTES, Budget
from supervisor_mcp.server.asgi import Application, create
from supervisor_mcp.server.guard import Guard
from supervisor_mcp.server.headers import completed
from supervisor_mcp.server.middleware import Middleware
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


def nowhere() -> Settings:
    """Settings with a database that does not exist."""
    url = f"postgresql://postgres@127.0.0.1:{free_port()}/postgres"
    return Settings(database_url=url, pool_size=1)


def application(**mounts: Child) -> Application:
    made = context.build(nowhere())
    return Application(
        made,
        {f"/{n}": child.app for n, child in mounts.items()},
        Guard(None, None),
        access_log=None,
    )


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


def client(served: Application, url: str = "http://test") -> httpx.AsyncClient:
    """A client of it; the host of the URL is also the address that it reaches."""
    transport = httpx.ASGITransport(app=served)
    return httpx.AsyncClient(transport=transport, base_url=url)


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


@pytest.mark.parametrize("path", ["/mcp", "/livez", "/nowhere", "/query/kinds", "/openapi.json"])
@pytest.mark.parametrize("host", ["localhost", "evil.example"])
async def test_browsers_and_caches_do_nothing_with_an_answer(path: str, host: str) -> None:
    async with client(application(mcp=Child()), "http://127.0.0.1") as http:
        answer = await http.get(path, headers={"Host": host})
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"
    # Only what ends TLS can promise it.
    assert "strict-transport-security" not in answer.headers
    names = [name for name, _ in answer.headers.raw]
    assert len(names) == len(set(names))


def test_an_answer_that_says_how_long_it_is_good_for_keeps_that() -> None:
    headers = dict(completed([(b"cache-control", b"no-cache")], (b"x-request-id", b"a")))
    assert headers[b"cache-control"] == b"no-cache"
    assert headers[b"x-request-id"] == b"a"


@pytest.mark.parametrize("path", ["/livez", "/mcpx", "/m"])
async def test_other_paths_go_to_rest(path: str) -> None:
    child = Child()
    async with client(application(mcp=child)) as http:
        await http.get(path)
    assert child.scopes == []


def test_without_a_database_there_is_no_application() -> None:
    with pytest.raises(ValueError, match="SUPERVISOR_DATABASE_URL"):
        create(Settings(database_url=None))


PATHS = ["/livez", "/ingest/facts", "/openapi.json", "/nowhere", "/mcp", "/mcp/deep"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("headers", "status", "slug", "setting"),
    [
        ({"Origin": "https://evil.example"}, 403, "origin_allowed", "SUPERVISOR_ALLOWED_ORIGINS"),
        ({"Host": "evil.example"}, 421, "host_allowed", "SUPERVISOR_ALLOWED_HOSTS"),
    ],
)
async def test_what_the_guard_refuses_reaches_neither_rest_nor_mcp(
    path: str, headers: dict[str, str], status: int, slug: str, setting: str
) -> None:
    child = Child()
    async with client(application(mcp=child), "http://127.0.0.1") as http:
        answer = await http.post(path, headers=headers)
    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["type"] == f"urn:supervisor-mcp:problem:{slug}"
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert setting in problem["hint"]
    assert "access-control-allow-origin" not in answer.headers
    assert child.scopes == []


@pytest.mark.parametrize(
    ("answered", "noted", "status"),
    [
        (True, {}, 204),
        (True, {"supervisor.status": 408}, 408),
        (False, {"supervisor.status": 408}, 408),
        (False, {"supervisor.cut_short": True}, 499),
        (False, {}, 500),
    ],
)
@pytest.mark.parametrize("client", [("10.0.0.9", 4711), None])
async def test_a_line_of_the_access_log_says_who_asked_for_what_and_what_came_of_it(
    client: tuple[str, int] | None, answered: bool, noted: dict[str, object], status: int
) -> None:
    lines: list[dict[str, object]] = []

    async def answer(scope: Scope, _receive: Receive, send: Send) -> None:
        scope.update(noted)
        if answered:
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(_message: Message) -> None:
        pass

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/query/kinds",
        "headers": [
            (b"x-request-id", b"mine"),
            (b"x-request-id", b"yours"),
            (b"host", b"localhost"),
        ],
        "client": client,
        "server": ("127.0.0.1", 8080),
    }
    await Middleware(answer, {}, Guard(None, None), lines.append)(scope, receive, send)
    [line] = lines
    milliseconds = line.pop("ms")
    assert isinstance(milliseconds, float)
    assert 0 <= milliseconds < 60_000
    assert line == {
        "client": "10.0.0.9" if client else None,
        "method": "GET",
        "path": "/query/kinds",
        "status": status,
        "request_id": "mine",
    }
    assert scope.get("supervisor.started", False) is answered


async def test_a_second_host_or_origin_does_not_hide_a_foreign_one() -> None:
    async with client(application(), "http://127.0.0.1") as http:
        for name, known, foreign in [
            ("Host", "127.0.0.1", "evil.example"),
            ("Origin", "http://localhost", "https://evil.example"),
        ]:
            for values in [(known, foreign), (foreign, known)]:
                headers = [(name, value) for value in values]
                answer = await http.get("/livez", headers=headers)
                assert answer.status_code in {403, 421}, values


PAGE = "https://app.example"


@pytest.fixture
def shared() -> Application:
    """The service with an origin in its list."""
    return create(nowhere().model_copy(update={"allowed_origins": (PAGE,)}))


async def test_a_page_of_a_listed_origin_may_read_answers(shared: Application) -> None:
    async with client(shared) as http:
        for path in ["/livez", "/nowhere"]:
            answer = await http.get(path, headers={"Origin": PAGE})
            assert answer.headers["access-control-allow-origin"] == PAGE
            assert "origin" in answer.headers["vary"].lower()
            exposed = answer.headers["access-control-expose-headers"].lower().split(", ")
            assert {"etag", "retry-after", "x-next-cursor", "x-request-id"} <= set(exposed)


async def test_others_are_answered_without_headers_of_cors(shared: Application) -> None:
    async with client(shared, "http://127.0.0.1") as http:
        for headers in [{}, {"Origin": "http://127.0.0.1"}, {"Origin": "https://evil.example"}]:
            answer = await http.get("/livez", headers=headers)
            assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", ["/ingest/facts", "/query/agg", "/mcp"])
async def test_a_page_of_a_listed_origin_may_ask_what_it_may_send(
    shared: Application, path: str
) -> None:
    asked = "content-type,idempotency-key,mcp-protocol-version"
    headers = {
        "Origin": PAGE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": asked,
    }
    async with client(shared) as http:
        answer = await http.options(path, headers=headers)
        foreign = await http.options(path, headers={**headers, "Origin": "https://evil.example"})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD, POST, PUT, DELETE"
    assert answer.headers["access-control-allow-headers"] == asked
    assert foreign.status_code == 403


async def test_without_a_list_no_origin_may_read_answers() -> None:
    async with client(create(nowhere())) as http:
        answer = await http.get("/livez", headers={"Origin": PAGE})
    assert "access-control-allow-origin" not in answer.headers


JSON = {"Content-Type": "application/json"}


@contextmanager
def taken(size: int) -> Iterator[None]:
    """Another request under way whose body takes up memory."""
    other: Scope = {}
    BODIES.take(other, size)
    yield
    BODIES.give_back(other)


@pytest.mark.parametrize("path", ["/ingest/facts", "/mcp"])
async def test_a_body_that_memory_has_no_room_for_is_refused_for_a_moment(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The request that is taken in finds no database.
    monkeypatch.setattr(db, "POOL_SECONDS", 0.5)
    body = b"[" + b" " * 5000 + b"]"
    async with living(served := create(nowhere())), client(served) as http:
        with taken(LIMIT_BYTES - 4000):
            refused = await http.post(path, content=body, headers=JSON)
        taken_in = await http.post(path, content=body, headers=JSON)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert refused.json()["type"].endswith(":bodies_within_limit")
    assert taken_in.json().get("type", "") != refused.json()["type"]


async def test_what_a_body_inflates_to_takes_up_memory() -> None:
    body = gzip.compress(b"[" + b" " * 5000 + b"]")
    async with client(create(nowhere())) as http:
        with taken(LIMIT_BYTES - 4000):
            headers = {**JSON, "Content-Encoding": "gzip"}
            answer = await http.post("/ingest/facts", content=body, headers=headers)
    assert answer.json()["type"].endswith(":bodies_within_limit")


async def test_a_body_is_not_inflated_further_than_it_may_be_large() -> None:
    body = gzip.compress(bytes(16 * bodies.LIMIT_BYTES), compresslevel=1)
    async with client(create(nowhere())) as http:
        tracemalloc.start()
        try:
            headers = {**JSON, "Content-Encoding": "gzip"}
            answer = await http.post("/ingest/facts", content=body, headers=headers)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert answer.status_code == 413
    assert most < 4 * bodies.LIMIT_BYTES


async def test_a_defect_is_logged_under_the_request_id_and_not_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken() -> datetime:
        raise RuntimeError("the password is swordfish")

    transport = httpx.ASGITransport(create_app(context.build(nowhere()), broken))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        answer = await http.get("/query/agg?window=7d")
    assert (answer.status_code, answer.json()["title"]) == (500, "Internal error")
    assert "swordfish" not in str(answer.headers) + answer.text
    (record,) = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert "request_id" in record.getMessage()
    assert "swordfish" in str(record.exc_info)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 100))))
def test_memory_is_never_taken_twice_and_never_lost(calls: list[tuple[int, int]]) -> None:
    budget = Budget(200)
    scopes: list[Scope] = [{} for _ in range(4)]
    held = [0] * 4
    for place, size in calls:
        if size == 0:
            budget.give_back(scopes[place])
            held[place] = 0
        elif sum(held) + size <= 200:
            budget.take(scopes[place], size)
            held[place] += size
        else:
            with pytest.raises(Problem, match="bodies_within_limit"):
                budget.take(scopes[place], size)
    for scope in scopes:
        budget.give_back(scope)
    budget.take({}, 200)
