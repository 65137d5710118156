"""The tools that change alert rules, over a database of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import psycopg
import pytest
from fastmcp import Client

from supervisor_mcp.config import Settings
from supervisor_mcp.mcp.server import create_mcp
from supervisor_mcp.operations import context as operations
from tests.mcp.conftest import NOW
from tests.mcp.test_registry import called, refused
from tests.sql.calls import ingest_metrics, metric
from tests.support.timescaledb import Server

Caller = Client[Any]
CONDITION: dict[str, Any] = {
    "type": "metric",
    "kind": "cpu",
    "statistic": "avg",
    "window": "5m",
    "operator": ">",
    "threshold": 90,
}


@pytest.fixture(scope="module")
def rules_url(database_server: Server) -> Iterator[str]:
    with database_server.deployed() as url:
        with psycopg.connect(url, prepare_threshold=None) as conn:
            ingest_metrics(conn, metric())
        yield url


@pytest.fixture
async def caller(rules_url: str, redis_url: str) -> AsyncIterator[Caller]:
    settings = Settings(database_url=rules_url, redis_url=redis_url, cache_ttl_seconds=1)
    async with (
        operations.connected(operations.build(settings)) as context,
        Client(create_mcp(context, lambda: NOW)) as connected,
    ):
        yield connected


async def test_a_rule_is_defined_changed_listed_and_deleted(caller: Caller) -> None:
    rule = {"name": "cpu_high", "author": "ann", "condition": CONDITION}
    created = await called(caller, "define_alert_rule", **rule)
    assert created["outcome"] == "created"
    changed = await called(caller, "define_alert_rule", **rule, labels={"team": "shop"})
    assert changed["changes"] == [{"field": "labels.team", "before": None, "after": "shop"}]
    listed = await called(caller, "list_alert_rules", q="cpu")
    assert [(each["name"], each["version"]) for each in listed["items"]] == [("cpu_high", 2)]
    shown = await called(caller, "list_alert_rules", name="cpu_high")
    assert shown["document"]["labels"] == {"team": "shop"}
    deleted = await called(caller, "delete_alert_rule", name="cpu_high", author="bob")
    assert (deleted["deleted_by"], deleted["ended"]) == ("bob", 0)


async def test_bad_fields_of_a_rule_are_listed_with_their_places(caller: Caller) -> None:
    problem = await refused(
        caller,
        "define_alert_rule",
        name="cpu_high",
        author="ann",
        condition={**CONDITION, "kind": "cpux", "window": "1s"},
    )
    fields = [fault["field"] for fault in problem["params"]["faults"]]
    assert fields == ["condition.kind", "condition.window"]


async def test_a_threshold_that_is_not_finite_is_refused(caller: Caller) -> None:
    for threshold in (float("nan"), 1e308):
        problem = await refused(
            caller,
            "define_alert_rule",
            name="cpu_high",
            author="ann",
            condition={**CONDITION, "threshold": threshold},
        )
        assert [fault["field"] for fault in problem["params"]["faults"]] == ["condition.threshold"]
