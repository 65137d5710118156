"""The tools of keys, over a database of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from fastmcp import Client
from pydantic import SecretStr

from supervisor_mcp.config import Settings
from supervisor_mcp.credentials import keys
from supervisor_mcp.mcp.server import create_mcp
from supervisor_mcp.operations import context as operations
from tests.mcp.conftest import NOW
from tests.mcp.test_registry import called, refused
from tests.support.timescaledb import Server

Caller = Client[Any]
SECRET = SecretStr("0123456789abcdef0123456789abcdef")


@pytest.fixture(scope="module")
def keys_url(database_server: Server) -> Iterator[str]:
    with database_server.deployed() as url:
        yield url


@pytest.fixture
async def caller(keys_url: str, redis_url: str) -> AsyncIterator[Caller]:
    settings = Settings(database_url=keys_url, redis_url=redis_url, key_secret=SECRET)
    async with (
        operations.connected(operations.build(settings)) as context,
        Client(create_mcp(context, lambda: NOW)) as connected,
    ):
        yield connected


async def test_a_key_is_created_listed_rotated_and_revoked(caller: Caller) -> None:
    created = await called(caller, "create_key", owner="ann", scopes=["ingest"], sources=["web"])
    read = keys.parse(created["key"])
    assert read is not None
    assert (created["outcome"], created["id"]) == ("created", read.id)
    rotated = await called(caller, "rotate_key", id=read.id, grace="24h")
    assert (rotated["rotated_from"], rotated["sources"]) == (read.id, ["web"])
    listed = await called(caller, "list_keys", owner="ann", active=True)
    assert {each["id"] for each in listed["items"]} == {read.id, rotated["id"]}
    assert all("key" not in each for each in listed["items"])
    revoked = await called(caller, "revoke_key", id=read.id, reason="leaked")
    assert (revoked["status"], revoked["reason"]) == ("revoked", "leaked")


async def test_a_repeated_call_creates_one_key_and_does_not_show_it_again(caller: Caller) -> None:
    arguments = {"owner": "bob", "scopes": ["read"], "idempotency_key": "first"}
    first = await called(caller, "create_key", **arguments)
    second = await called(caller, "create_key", **arguments)
    assert (second["id"], second["key"], second["outcome"]) == (first["id"], None, "unchanged")


async def test_a_wrong_key_is_refused_with_its_field(caller: Caller) -> None:
    problem = await refused(caller, "create_key", owner="ann", scopes=["read"], sources=["web"])
    assert problem["type"] == "urn:supervisor-mcp:problem:sources_of_ingest"
    assert problem["params"]["field"] == "sources"
