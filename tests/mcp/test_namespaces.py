"""Models of two namespaces with the same names: neither is shown what is the other's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from fastmcp import Client, FastMCP
from mcp.server.subscriptions import ServerEvent
from mcp_types import ResourceTemplateReference
from psycopg import Connection

from supervisor_mcp import identity
from supervisor_mcp.config import Settings
from supervisor_mcp.mcp import resources
from supervisor_mcp.mcp.server import create_mcp
from supervisor_mcp.mcp.updates import AlertUpdates
from supervisor_mcp.operations import context as operations
from supervisor_mcp.operations.context import Context
from tests.sql.raised_alerts import add_transition
from tests.support.tenants import ACME, EVERYONE, NOW, TENANTS, UMBRELLA, Tenant, within
from tests.support.timescaledb import Server
from tests.support.waiting import eventually_async

Arguments = dict[str, Any]

CONDITION = {"type": "metric", "kind": "queue_depth", "statistic": "max", "window": "1h"}
TESTED = {"condition": {**CONDITION, "operator": ">", "threshold": 2, "group_by": "source"}}
METRIC = {"name": "queue_depth", "source": "shop", "value": 99, "ts": NOW.timestamp() - 60}
FACT = {"kind": "Fact:Sale", "source": "shop", "fact_id": "order-1", "value": 99}

# What is asked of each tool that reads; {word} is that of a tenant.
READS: dict[str, list[Arguments]] = {
    "query_agg": [{"window": "7d"}, {"window": "7d", "kind": "{word}_depth"}],
    "query_metrics": [{"name": "queue_depth"}, {"name": "{word}_depth"}],
    "query_facts": [{}, {"kind": "Fact:{word}"}, {"source": "{word}-shop"}],
    "list_kinds": [{}, {"prefix": "{word}"}],
    "query_sql": [{"sql": "select kind from kinds"}, {"sql": "select to_jsonb(f) from facts as f"}],
    "list_servers": [{}, {"q": "{word}"}],
    "get_server": [{"name": "search"}, {"name": "{word}/own"}],
    "list_health": [{}],
    "get_health": [{"name": "search"}, {"name": "{word}/own"}],
    "query_sla": [{"window": "7d"}, {"window": "7d", "name": "{word}/own"}],
    "list_maintenance": [{"from": "2025-06-01T00:00:00Z"}, {"name": "{word}/own"}],
    "list_active_alerts": [{}, {"rule": "{word}_long"}, {"labels": {"nobody": "has"}}],
    "list_alert_history": [{}, {"rule": "{word}_long"}],
    "list_silences": [{}],
    "list_alert_rules": [{}, {"name": "queue_long"}, {"name": "{word}_long"}],
    "backtest_alert_rule": [{"name": "queue_long"}, {"name": "{word}_long"}, {"rule": TESTED}],
    "suggest_threshold": [{"condition": CONDITION, "per_month": 2}],
    "query_kpis": [{"window": "7d"}, {"window": "7d", "name": "{word}_value"}],
    "list_kpis": [{}, {"name": "{word}_value"}],
    "query_changes": [{"window": "24h"}, {"window": "24h", "kind": "{word}_depth"}],
    "list_restatements": [{}, {"kind": "{word}_depth"}],
    "list_snapshots": [{}],
    "get_snapshot": [{"name": "week"}, {"name": "{word}-week"}],
    "list_subscriptions": [{}, {"name": "hook"}, {"name": "{word}-hook"}],
    "list_policies": [{"policy": "retention"}],
    "list_pins": [{}, {"source": "{word}-shop"}],
}
# tests/rest/test_namespaces.py has what the default namespace does for all.
OF_THE_OPERATOR = {
    *("create_key", "list_keys", "revoke_key", "rotate_key", "list_audit"),
    *("set_policy", "plan_retention", "doctor"),
}
# An alert has an id of its own.
ALL_REFUSED = {"ack_alert"}
# What is sent to each other tool, about names that all tenants have, or one.
WRITES: dict[str, list[Arguments]] = {
    "ingest_metrics": [{"items": [METRIC, {**METRIC, "name": "{word}_depth"}]}],
    "ingest_facts": [{"items": [FACT, {**FACT, "source": "{word}-shop"}], "partial": True}],
    "ingest_metric": [METRIC],
    "ingest_fact": [{**FACT, "source": "{word}-shop"}],
    "register_server": [
        {"name": name, "description": "a", "version": "2.0.0", "owner": "{word}"}
        for name in ("search", "{word}/own")
    ],
    "heartbeat": [{"names": ["search", "{word}/own"]}],
    "report_health": [{"items": [{"server": "search", "status": "down"}]}],
    "plan_maintenance": [
        {"id": name, "cancelled": True, "author": "a", "reason": "a"}
        for name in ("update", "{word}-update")
    ],
    "ack_alert": [{"id": "{alert}", "author": "a"}],
    "silence_alerts": [
        {"id": name, "cancelled": True, "author": "a"} for name in ("night", "{word}-night")
    ],
    "define_alert_rule": [
        {"name": name, **TESTED, "author": "a"} for name in ("queue_long", "{word}_long")
    ],
    "delete_alert_rule": [{"name": name, "author": "a"} for name in ("queue_long", "{word}_long")],
    "define_kpi": [
        {"name": name, "author": "a", "numerator": {"kind": "Fact:Sale", "statistic": "count"}}
        for name in ("sale_value", "{word}_value")
    ],
    "delete_kpi": [{"name": name, "author": "a"} for name in ("sale_value", "{word}_value")],
    "subscribe": [
        {"name": name, "author": "a", "url": "https://a.example", "alerts": {}}
        for name in ("hook", "{word}-hook")
    ],
    "pin_window": [
        {
            "source": source,
            "from": "2025-06-15T00:00:00Z",
            "to": "2025-06-15T01:00:00Z",
            "reason": "a",
        }
        for source in ("shop", "{word}-shop")
    ],
    "unpin_window": [{"id": number} for number in (1, 2, 3)],
    "create_snapshot": [
        {"name": name, "window": "7d", "author": "a"} for name in ("week", "{word}-week")
    ],
    "unsubscribe": [{"name": name} for name in ("hook", "{word}-hook")],
    "deregister_server": [{"name": name, "owner": "{word}"} for name in ("search", "{word}/own")],
}
URIS = (
    resources.KINDS,
    resources.SERVERS,
    resources.ACTIVE_ALERTS,
    resources.AGGREGATE.format(kind="queue_depth", window="7d"),
    resources.AGGREGATE.format(kind="{word}_depth", window="7d"),
    resources.SERVER.format(name="search"),
    resources.SERVER.format(name="{word}%2Fown"),
)


@pytest.fixture
def database(database_server: Server) -> Iterator[str]:
    """DSN of a database of this test's own."""
    with database_server.deployed() as url:
        yield url


@pytest.fixture
def conn(database: str) -> Iterator[Connection[Any]]:
    with psycopg.connect(database, autocommit=True, prepare_threshold=None) as connected:
        yield connected


@pytest.fixture
async def context(database: str, redis_url: str) -> AsyncIterator[Context]:
    settings = Settings(database_url=database, redis_url=redis_url)
    async with operations.connected(operations.build(settings)) as connected:
        yield connected


@pytest.fixture
def server(context: Context) -> FastMCP:
    return create_mcp(context, lambda: NOW)


async def test_every_tool_and_resource_has_a_case(server: FastMCP) -> None:
    tools = {tool.name for tool in await server.list_tools()}
    assert tools == READS.keys() | WRITES.keys() | OF_THE_OPERATOR
    uris = {str(each.uri) for each in await server.list_resources()}
    templates = {each.uri_template for each in await server.list_resource_templates()}
    # The schema is the same for everybody.
    assert uris == {
        *(resources.KINDS, resources.SERVERS, resources.ACTIVE_ALERTS, resources.SCHEMA)
    }
    assert templates == {resources.AGGREGATE, resources.SERVER}


async def test_what_a_model_is_shown_does_not_depend_on_other_namespaces(
    conn: Connection[Any], server: FastMCP
) -> None:
    ACME.fill(conn)
    alone = await everything(server, ACME)
    for other in (UMBRELLA, EVERYONE):
        other.fill(conn)
        seen = str(await everything(server, other))
        assert [each.word for each in TENANTS if each.word in seen] == [other.word]
    await write_everything(conn, server, UMBRELLA, ACME)

    assert await everything(server, ACME) == alone


async def test_listeners_learn_of_alerts_of_their_namespace(
    conn: Connection[Any], context: Context
) -> None:
    updates = AlertUpdates(context)
    heard: dict[str, list[ServerEvent]] = {ACME.namespace: [], UMBRELLA.namespace: []}
    leave = []
    for tenant in (ACME, UMBRELLA):
        tenant.fill(conn)
        with identity.acting_as(identity.serving(tenant.namespace)):
            leave.append(updates.subscribe(heard[tenant.namespace].append))

    async def one_heard() -> bool:
        fire(conn, UMBRELLA)
        return bool(heard[UMBRELLA.namespace])

    await eventually_async(one_heard)

    assert heard[ACME.namespace] == []
    for each in leave:
        each()


def fire(conn: Connection[Any], tenant: Tenant) -> None:
    """What an evaluation writes that finds an alert again."""
    with within(conn, tenant.namespace):
        row = conn.execute("select min(fingerprint) from data.alert").fetchone()
        assert row is not None
        add_transition(conn, row[0], at=datetime.now(UTC))


@asynccontextmanager
async def model(server: FastMCP, tenant: Tenant) -> AsyncIterator[Client[Any]]:
    """A client with a key of a tenant."""
    with identity.acting_as(identity.serving(tenant.namespace)):
        async with Client(server) as client:
            yield client


async def everything(server: FastMCP, tenant: Tenant) -> dict[str, Any]:
    """The answers that a tenant gets to all questions, resources and completions."""
    answers: dict[str, Any] = {}
    async with model(server, tenant) as client:
        for tool, asked in READS.items():
            for arguments in asked:
                sent = named(arguments, word=tenant.word)
                result = await client.call_tool(tool, sent)
                answers[f"{tool} {sent}"] = result.structured_content
        for uri in URIS:
            (content,) = await client.read_resource(uri.format(word=tenant.word))
            answers[uri] = content.model_dump()
        for template, argument in ((resources.AGGREGATE, "kind"), (resources.SERVER, "name")):
            reference = ResourceTemplateReference(type="ref/resource", uri=template)
            found = await client.complete(reference, {"name": argument, "value": ""})
            answers[f"{template} {argument}"] = found.values
    return answers


async def write_everything(
    conn: Connection[Any], server: FastMCP, tenant: Tenant, about: Tenant
) -> None:
    """All that a tenant can do with names of another one."""
    with within(conn, about.namespace):
        row = conn.execute("select min(fingerprint) from data.alert").fetchone()
    assert row is not None
    async with model(server, tenant) as client:
        for tool, asked in WRITES.items():
            results = [
                await client.call_tool(
                    tool, named(arguments, word=about.word, alert=row[0]), raise_on_error=False
                )
                for arguments in asked
            ]
            assert tool in ALL_REFUSED or not all(result.is_error for result in results), results


def named(value: Any, **words: str) -> Any:
    """Arguments with the words of a tenant."""
    if isinstance(value, dict):
        return {name: named(each, **words) for name, each in value.items()}
    if isinstance(value, list):
        return [named(each, **words) for each in value]
    return value.format(**words) if isinstance(value, str) else value
