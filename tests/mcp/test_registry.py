"""The tools that change the registry, over a database of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from fastmcp import Client
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from mcp_types import TextContent

from supervisor_mcp.config import Settings
from supervisor_mcp.mcp.server import create_mcp
from supervisor_mcp.operations import context as operations
from tests.mcp.conftest import NOW
from tests.support.timescaledb import Server

Caller = Client[Any]
DOCUMENT: dict[str, Any] = {"description": "Searches", "version": "1.0.0"}


@pytest.fixture(scope="module")
def registry_url(database_server: Server) -> Iterator[str]:
    with database_server.deployed() as url:
        yield url


@pytest.fixture
async def caller(registry_url: str, redis_url: str) -> AsyncIterator[Caller]:
    settings = Settings(database_url=registry_url, redis_url=redis_url, cache_ttl_seconds=1)
    async with (
        operations.connected(operations.build(settings)) as context,
        Client(create_mcp(context, lambda: NOW)) as connected,
    ):
        yield connected


@pytest.fixture
def server() -> str:
    """A name that no other test uses."""
    return f"io.github.acme/s{uuid4().hex[:12]}"


async def called(caller: Caller, tool: str, **arguments: Any) -> dict[str, Any]:
    """The answer of a tool, after comparing it with the output schema."""
    schemas = {each.name: each.output_schema for each in await caller.list_tools()}
    result = await caller.call_tool(tool, arguments)
    assert result.structured_content is not None
    Draft202012Validator(schemas[tool]).validate(result.structured_content)
    return dict(result.structured_content)


async def refused(caller: Caller, tool: str, **arguments: Any) -> dict[str, Any]:
    """The problem that a tool answers with."""
    result = await caller.call_tool(tool, arguments, raise_on_error=False)
    assert result.is_error
    (content,) = result.content
    assert isinstance(content, TextContent)
    problem: dict[str, Any] = msgspec.json.decode(content.text)
    return problem


async def test_a_server_is_registered_changed_and_deregistered(caller: Caller, server: str) -> None:
    created = await called(caller, "register_server", name=server, **DOCUMENT)
    assert created["outcome"] == "created"
    changed = await called(
        caller,
        "register_server",
        name=server,
        description="Searches",
        version="1.1.0",
        capabilities={"tools": [{"name": "find"}]},
        _meta={"acme": {"a": None}},
    )
    assert (changed["previous_version"], changed["tools"]["added"]) == ("1.0.0", ["find"])
    found = await called(caller, "get_server", name=server)
    assert found["document"]["_meta"] == {"acme": {"a": None}}
    assert [each["version"] for each in found["versions"]] == ["1.1.0", "1.0.0"]
    await called(caller, "deregister_server", name=server)
    assert (await called(caller, "get_server", name=server))["version"] is None


async def test_an_argument_that_is_null_is_absent(caller: Caller, server: str) -> None:
    answer = await called(caller, "register_server", name=server, **DOCUMENT, tier=None, tags=None)
    assert answer["outcome"] == "created"


async def test_bad_fields_of_a_document_are_listed_with_their_places(
    caller: Caller, server: str
) -> None:
    remotes = [{"type": "sse", "url": "acme"}]
    problem = await refused(
        caller, "register_server", name=server, description="", version="~1", remotes=remotes
    )
    fields = [fault["field"] for fault in problem["params"]["faults"]]
    assert fields == ["description", "remotes[0].url", "version"]


async def test_a_name_that_is_missing_is_asked_for(caller: Caller) -> None:
    problem = await refused(caller, "register_server", **DOCUMENT)
    assert problem["params"] == {"field": "name"}


async def test_an_owned_server_is_refused_to_others(caller: Caller, server: str) -> None:
    await called(caller, "register_server", name=server, **DOCUMENT, owner="acme")
    problem = await refused(caller, "deregister_server", name=server, owner="other")
    assert problem["status"] == 409
