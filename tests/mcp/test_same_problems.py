"""REST and MCP refuse the same, in the same words."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest
from fastmcp import Client
from mcp_types import TextContent

from tests.mcp.calls import query
from tests.mcp.conftest import NOW, SERVER

Caller = Client[Any]

# Paths of documents.
REGISTRY = f"/registry/servers/{SERVER}"
RULES = "/alerts/rules/queue_long"
SUBSCRIPTION = "/subscriptions/policy"
KPI = "/kpis/sale_value"
PATH_NAMES = {
    REGISTRY: SERVER,
    RULES: "queue_long",
    SUBSCRIPTION: "policy",
    KPI: "sale_value",
}


@pytest.mark.parametrize(
    ("name", "path", "arguments"),
    [
        ("query_agg", "/query/agg", {"window": "7d", "kind": "nothing"}),
        ("query_agg", "/query/agg", {"window": "a week"}),
        ("query_agg", "/query/agg", {"window": "7d", "as_of": "yesterday"}),
        ("query_facts", "/query/facts", {"limit": 1001}),
        ("query_facts", "/query/facts", {"cursor": "x"}),
        ("query_metrics", "/query/metrics", {"name": "queue_depth", "step": "1x"}),
        ("query_metrics", "/query/metrics", {"name": "queue_depth", "split_by": "label"}),
        ("list_kinds", "/query/kinds", {"type": "event"}),
        ("list_kinds", "/query/kinds", {"kind": "x"}),
        ("list_servers", "/registry/servers", {"status": "gone"}),
        ("list_servers", "/registry/servers", {"health": "good"}),
        ("get_server", "/registry/servers/{name}", {"name": "io.github.acme/serach"}),
        ("get_server", "/registry/servers/{name}", {"name": "a", "as_of": "yesterday"}),
        ("get_health", "/health/servers/{name}", {"name": "io.github.acme/serach"}),
        ("list_health", "/health/servers", {"status": "ok"}),
        ("list_health", "/health/servers", {"limit": 0}),
        ("deregister_server", "/registry/servers/{name}", {"name": "io.github.acme/serach"}),
        ("deregister_server", "/registry/servers/{name}", {"name": "io.github.acme/search"}),
        ("query_sla", "/health/sla", {"window": "7d", "to": NOW.timestamp()}),
        ("query_sla", "/health/sla", {"timezone": "Berlin"}),
        ("list_maintenance", "/health/maintenance", {"name": "io.github.acme/serach"}),
        ("list_active_alerts", "/alerts/active", {"state": "resolved"}),
        ("list_active_alerts", "/alerts/active", {"rule": "queue_lng"}),
        ("list_active_alerts", "/alerts/active", {"server": "io.github.acme/serach"}),
        ("list_alert_history", "/alerts/history", {"limit": 0}),
        ("list_silences", "/alerts/silences", {"cursor": "x"}),
        ("list_alert_rules", "/alerts/rules", {"name": "queue_lnog"}),
        ("list_alert_rules", "/alerts/rules/{name}", {"name": "queue_lnog"}),
        ("list_alert_rules", "/alerts/rules", {"limit": 0}),
        ("delete_alert_rule", "/alerts/rules/{name}", {"name": "queue_lnog", "author": "a"}),
        ("delete_alert_rule", "/alerts/rules/{name}", {"name": "queue_long"}),
        ("query_kpis", "/query/kpis", {"window": "a week"}),
        ("query_kpis", "/query/kpis", {"window": "7d", "name": "sale_valeu"}),
        ("list_kpis", "/kpis", {"name": "sale_valeu"}),
        ("delete_kpi", "/kpis/{name}", {"name": "sale_valeu", "author": "a"}),
        ("delete_kpi", "/kpis/{name}", {"name": "sale_value"}),
        ("query_changes", "/query/changes", {"window": "7d", "kind": "nothing"}),
        ("query_changes", "/query/changes", {"window": "7d", "limit": 101}),
        ("list_subscriptions", "/subscriptions", {"name": "polcy"}),
        ("list_subscriptions", "/subscriptions/{name}", {"name": "polcy"}),
        ("list_subscriptions", "/subscriptions", {"cursor": "x"}),
        ("unsubscribe", "/subscriptions/{name}", {"name": "polcy"}),
        ("list_keys", "/access/keys", {"limit": 0}),
        ("list_keys", "/access/keys", {"cursor": "x"}),
        ("revoke_key", "/access/keys/{id}", {"id": "cccccccc"}),
        ("revoke_key", "/access/keys/{id}", {"id": "aaaaaaaa", "reason": ""}),
        ("list_policies", "/admin/policies", {"policy": "speed"}),
        ("plan_retention", "/admin/policies/retention/{name}/plan", {"name": "data.kind"}),
        ("unpin_window", "/admin/pins/{id}", {"id": 7}),
        ("list_pins", "/admin/pins", {"kind": "a"}),
        ("doctor", "/admin/doctor", {"check": "jobs"}),
        ("list_restatements", "/query/restatements", {"kind": "nothing"}),
        ("list_restatements", "/query/restatements", {"cursor": "x"}),
        ("list_snapshots", "/query/snapshots", {"limit": 0}),
        ("get_snapshot", "/query/snapshots/{name}", {"name": "wek"}),
        ("list_audit", "/access/audit", {"limit": 0}),
        ("list_audit", "/access/audit", {"object": "a"}),
    ],
)
async def test_rest_and_mcp_report_the_same_problem(
    rest: httpx.AsyncClient,
    operations: dict[str, Any],
    client: Caller,
    name: str,
    path: str,
    arguments: dict[str, Any],
) -> None:
    method = operations[name]["method"].upper()
    params = query(path, arguments)
    answer = await rest.request(method, path.format(**arguments), params=params)
    from_rest = answer.json()
    result = await client.call_tool(name, arguments, raise_on_error=False)
    assert result.is_error
    (content,) = result.content
    assert isinstance(content, TextContent)
    from_mcp = msgspec.json.decode(content.text)
    for problem in (from_rest, from_mcp):
        problem.pop("request_id", None)
    assert from_mcp == from_rest


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/ingest/metrics", "ingest_metrics"),
        ("/ingest/facts", "ingest_facts"),
        ("/health/reports", "report_health"),
    ],
)
async def test_rest_and_mcp_refuse_the_same_items_in_the_same_words(
    rest: httpx.AsyncClient, client: Caller, path: str, name: str
) -> None:
    items = [{"name": "a", "kind": "b"}, 5, {"source": "a"}, {"name": "a", "source": "a b"}]
    from_rest = (await rest.post(path, json=items)).json()
    result = await client.call_tool(name, {"items": items}, raise_on_error=False)
    (content,) = result.content
    assert isinstance(content, TextContent)
    assert msgspec.json.decode(content.text)["params"] == from_rest["params"]


async def test_rest_and_mcp_refuse_the_same_keep_alives_in_the_same_words(
    rest: httpx.AsyncClient, client: Caller
) -> None:
    for names in (["io.github.acme/serach"], "a", [1], ["a"] * 10_001):
        from_rest = (await rest.post("/registry/heartbeats", json={"names": names})).json()
        result = await client.call_tool("heartbeat", {"names": names}, raise_on_error=False)
        (content,) = result.content
        assert isinstance(content, TextContent)
        from_mcp = msgspec.json.decode(content.text)
        for problem in (from_rest, from_mcp):
            problem.pop("request_id", None)
        assert from_mcp == from_rest


@pytest.mark.parametrize(
    ("name", "path", "arguments"),
    [
        ("create_key", "/access/keys", {"owner": "", "scopes": ["read"]}),
        ("create_key", "/access/keys", {"owner": "ann", "scopes": ["read", "write"]}),
        ("create_key", "/access/keys", {"owner": "ann", "scopes": ["read"], "expires_at": 1}),
        ("rotate_key", "/access/keys/{id}/rotation", {"id": "cccccccc"}),
        ("rotate_key", "/access/keys/{id}/rotation", {"id": "aaaaaaaa", "grace": "8d"}),
    ],
)
async def test_rest_and_mcp_refuse_the_same_key_in_the_same_words(
    rest: httpx.AsyncClient, client: Caller, name: str, path: str, arguments: dict[str, Any]
) -> None:
    body = {n: value for n, value in arguments.items() if n != "id"}
    from_rest = (await rest.post(path.format(**arguments), json=body)).json()
    result = await client.call_tool(name, arguments, raise_on_error=False)
    (content,) = result.content
    assert isinstance(content, TextContent)
    from_mcp = msgspec.json.decode(content.text)
    for problem in (from_rest, from_mcp):
        problem.pop("request_id", None)
    assert from_mcp == from_rest


@pytest.mark.parametrize(
    ("name", "path", "arguments"),
    [
        (
            "set_policy",
            "/admin/policies/{policy}/{name}",
            {"policy": "retention", "name": "data.kind", "value": "9 days"},
        ),
        (
            "set_policy",
            "/admin/policies/{policy}/{name}",
            {"policy": "retention", "name": "data.sample", "value": "9 days"},
        ),
        ("set_policy", "/admin/policies/{policy}/{name}", {"policy": "quota", "name": "kinds"}),
        (
            "pin_window",
            "/admin/pins",
            {"source": "ordres-mcp", "from": 1, "to": 2, "reason": "outage"},
        ),
    ],
)
async def test_rest_and_mcp_refuse_the_same_change_in_the_same_words(
    rest: httpx.AsyncClient,
    operations: dict[str, Any],
    client: Caller,
    name: str,
    path: str,
    arguments: dict[str, Any],
) -> None:
    method = operations[name]["method"].upper()
    body = {n: value for n, value in arguments.items() if f"{{{n}}}" not in path}
    from_rest = (await rest.request(method, path.format(**arguments), json=body)).json()
    result = await client.call_tool(name, arguments, raise_on_error=False)
    (content,) = result.content
    assert isinstance(content, TextContent)
    from_mcp = msgspec.json.decode(content.text)
    for problem in (from_rest, from_mcp):
        problem.pop("request_id", None)
    assert from_mcp == from_rest


@pytest.mark.parametrize(
    ("tool", "path", "document"),
    [
        (
            "register_server",
            REGISTRY,
            {"description": "", "version": "^1", "remotes": [{}], "a": 1},
        ),
        ("register_server", REGISTRY, {"description": "d", "version": "1.0.0"}),
        ("register_server", REGISTRY, {"description": "d", "version": "1.0.0", "owner": "other"}),
        ("define_alert_rule", RULES, {"author": "a", "condition": {"type": "sql"}, "for": "5"}),
        ("define_alert_rule", RULES, {"author": "a", "condition": {"type": "metric", "kind": "x"}}),
        ("define_alert_rule", RULES, {"condition": {"type": "health", "statuses": ["bad"]}}),
        ("define_kpi", KPI, {"author": "ann", "numerator": {"kind": "Fact:Sael"}, "target": "5"}),
        ("subscribe", SUBSCRIPTION, {"author": "ann", "url": "ftp://a", "facts": {"kinds": []}}),
        ("subscribe", SUBSCRIPTION, {"url": "https://a.example", "secret": "a", "more": 1}),
    ],
)
async def test_rest_and_mcp_refuse_the_same_document_in_the_same_words(
    rest: httpx.AsyncClient, client: Caller, tool: str, path: str, document: dict[str, Any]
) -> None:
    from_rest = (await rest.put(path, json=document)).json()
    arguments = {"name": PATH_NAMES[path], **document}
    result = await client.call_tool(tool, arguments, raise_on_error=False)
    (content,) = result.content
    assert isinstance(content, TextContent)
    from_mcp = msgspec.json.decode(content.text)
    for problem in (from_rest, from_mcp):
        problem.pop("request_id", None)
    assert from_mcp == from_rest
