"""Maintenance windows over REST and as a tool, on one database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import msgspec
import psycopg
import pytest
from fastmcp import Client
from mcp_types import TextContent
from psycopg.types.json import Jsonb

from supervisor_mcp.config import Settings
from supervisor_mcp.mcp.server import create_mcp
from supervisor_mcp.operations import context as operations
from supervisor_mcp.operations.context import Context
from supervisor_mcp.rest.app import create_app
from tests.mcp.conftest import NOW, SERVER, VERSIONS
from tests.support.timescaledb import Server

Caller = Client[Any]
WINDOW = {
    "servers": ["io.github.acme/search"],
    "from": "2025-06-15T02:00:00Z",
    "to": "2025-06-15T03:00:00Z",
    "author": "ann",
    "reason": "update",
}


@pytest.fixture(scope="module")
def registry_url(database_server: Server) -> Iterator[str]:
    """DSN of a database with one server."""
    with database_server.deployed() as url:
        with psycopg.connect(url, autocommit=True, prepare_threshold=None) as conn:
            since, document = VERSIONS[0]
            conn.execute("select api.register_server(%s, %s, %s)", [SERVER, Jsonb(document), since])
        yield url


@pytest.fixture
async def registry(registry_url: str, redis_url: str) -> AsyncIterator[Context]:
    settings = Settings(database_url=registry_url, redis_url=redis_url, cache_ttl_seconds=1)
    async with operations.connected(operations.build(settings)) as connected:
        yield connected


@pytest.fixture
async def rest(registry: Context) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(registry, lambda: NOW))
    async with httpx.AsyncClient(transport=transport, base_url="http://rest") as connected:
        yield connected


@pytest.fixture
async def caller(registry: Context) -> AsyncIterator[Caller]:
    async with Client(create_mcp(registry, lambda: NOW)) as connected:
        yield connected


def answer_of(result: Any) -> Any:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return msgspec.json.decode(content.text)


async def test_a_window_that_rest_plans_is_the_same_to_a_tool(
    rest: httpx.AsyncClient, caller: Caller
) -> None:
    planned = await rest.put("/health/maintenance/a", json=WINDOW)
    again = await caller.call_tool("plan_maintenance", {"id": "a", **WINDOW})

    assert planned.status_code == 200, planned.text
    assert (planned.json()["changed"], planned.json()["restated"]) == (True, 1)
    assert answer_of(again) == {**planned.json(), "changed": False, "restated": 0}


async def test_a_window_that_a_tool_plans_is_listed_and_counted(
    rest: httpx.AsyncClient, caller: Caller
) -> None:
    window = {**WINDOW, "to": "2025-06-15T13:00:00Z"}
    planned = answer_of(await caller.call_tool("plan_maintenance", {"id": "b", **window}))
    listed = (await rest.get("/health/maintenance")).json()["items"]
    sla = (await rest.get("/health/sla?name=io.github.acme/search&window=24h")).json()["items"][0]

    of_the_plan = {"cancelled_by", "cancelled_reason", "changed", "restated"}
    assert [each for each in listed if each["id"] == "b"] == [
        {name: value for name, value in planned.items() if name not in of_the_plan}
    ]
    assert sla["seconds"]["maintenance"] == 10.5 * 3600
    assert sla["restatements"][0]["maintenance"] == "b"


@pytest.mark.parametrize(
    ("change", "slug", "field"),
    [
        ({"servers": ["io.github.acme/serach"]}, "server_unknown", "servers"),
        ({"servers": "io.github.acme/search"}, "parameter_well_formed", "servers"),
        ({"from": "yesterday"}, "parameter_well_formed", "from"),
        ({"to": None}, "parameter_required", "to"),
        ({"author": None}, "parameter_required", "author"),
        ({"until": 5}, "parameter_known", "until"),
        ({"reason": ""}, "reason_in_range", "reason"),
    ],
)
async def test_rest_and_the_tool_refuse_the_same_window(
    rest: httpx.AsyncClient, caller: Caller, change: dict[str, Any], slug: str, field: str
) -> None:
    window = {**WINDOW, **change}
    from_rest = (await rest.put("/health/maintenance/c", json=window)).json()
    result = await caller.call_tool("plan_maintenance", {"id": "c", **window}, raise_on_error=False)

    assert result.is_error
    from_mcp = answer_of(result)
    assert (from_rest["type"].rpartition(":")[2], from_rest["params"]["field"]) == (slug, field)
    for problem in (from_rest, from_mcp):
        problem.pop("request_id", None)
        problem["params"].pop("known", None)
        problem.pop("hint", None)
    assert from_mcp == from_rest
