"""The tools that change subscriptions, over a database of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from fastmcp import Client

from supervisor_mcp.config import Settings
from supervisor_mcp.mcp.server import create_mcp
from supervisor_mcp.operations import context as operations
from tests.mcp.conftest import NOW, SUBSCRIPTION
from tests.mcp.test_registry import called, refused
from tests.support.timescaledb import Server

Caller = Client[Any]


@pytest.fixture(scope="module")
def subscriptions_url(database_server: Server) -> Iterator[str]:
    with database_server.deployed() as url:
        yield url


@pytest.fixture
async def caller(subscriptions_url: str, redis_url: str) -> AsyncIterator[Caller]:
    settings = Settings(database_url=subscriptions_url, redis_url=redis_url, cache_ttl_seconds=1)
    async with (
        operations.connected(operations.build(settings)) as context,
        Client(create_mcp(context, lambda: NOW)) as connected,
    ):
        yield connected


async def test_a_subscription_is_created_changed_listed_and_removed(caller: Caller) -> None:
    created = await called(caller, "subscribe", name="policy", **SUBSCRIPTION)
    assert created["outcome"] == "created"
    assert created["secret"].startswith("whsec_")
    changed = await called(caller, "subscribe", name="policy", **SUBSCRIPTION, enabled=False)
    assert (changed["outcome"], changed["secret"]) == ("changed", None)
    listed = await called(caller, "list_subscriptions")
    assert [(each["name"], each["enabled"]) for each in listed["items"]] == [("policy", False)]
    removed = await called(caller, "unsubscribe", name="policy")
    assert removed["outcome"] == "removed"
    assert (await called(caller, "list_subscriptions"))["items"] == []


async def test_bad_fields_of_a_subscription_are_listed_with_their_places(caller: Caller) -> None:
    problem = await refused(
        caller,
        "subscribe",
        name="policy",
        type="alertmanager",
        **SUBSCRIPTION | {"url": "10.0.0.7:9093", "alerts": {"group_wait": "soon"}},
    )
    fields = [fault["field"] for fault in problem["params"]["faults"]]
    assert fields == ["alerts.group_wait", "facts", "url"]
