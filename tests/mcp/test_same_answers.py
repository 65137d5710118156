"""SQL, REST and MCP give the same answers to the same questions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import psycopg
import pytest
from fastmcp import Client, FastMCP
from mcp_types import TextContent
from psycopg import Connection

from tests.mcp.calls import query
from tests.mcp.conftest import NOW

Caller = Client[Any]

CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("query_agg", "/query/agg", {"window": "7d"}),
    ("query_agg", "/query/agg", {"window": "30d", "kind": "Fact:Sale"}),
    ("query_agg", "/query/agg", {"window": "7d", "kind": "queue_depth", "group_by": "source"}),
    ("query_agg", "/query/agg", {"window": "24h", "kind": "Fact:Sale", "source": "web-mcp"}),
    ("query_facts", "/query/facts", {"kind": "Fact:Sale", "limit": 5}),
    ("query_facts", "/query/facts", {"subject": "customer-1", "to": NOW.timestamp() - 86400}),
    ("query_metrics", "/query/metrics", {"name": "http/requests.total", "step": "3h"}),
    (
        "query_metrics",
        "/query/metrics",
        {
            "name": "queue_depth",
            "labels": {"region": "eu"},
            "from": NOW.isoformat()[:10] + "T00:00:00Z",
            "to": NOW.timestamp(),
        },
    ),
    (
        "query_metrics",
        "/query/metrics",
        {"name": "queue_depth", "source": "orders-mcp", "step": "1h", "split_by": "version"},
    ),
    ("list_kinds", "/query/kinds", {"prefix": "Fact:"}),
    ("list_kinds", "/query/kinds", {"type": "gauge", "limit": 10}),
    ("list_servers", "/registry/servers", {"tag": "shop", "limit": 1}),
    ("list_servers", "/registry/servers", {"q": "search", "status": "active"}),
    ("get_server", "/registry/servers/{name}", {"name": "io.github.acme/search"}),
    (
        "get_server",
        "/registry/servers/{name}",
        {"name": "io.github.acme/search", "as_of": NOW.timestamp() - 86400},
    ),
    ("query_sla", "/health/sla", {"window": "7d"}),
    (
        "query_sla",
        "/health/sla",
        {
            "name": "io.github.acme/search",
            "from": NOW.timestamp() - 259_200,
            "to": NOW.isoformat()[:10] + "T00:00:00Z",
            "timezone": "Europe/Berlin",
            "as_of": NOW.timestamp() - 3600,
        },
    ),
    ("list_maintenance", "/health/maintenance", {"name": "io.github.acme/search", "limit": 5}),
    ("get_health", "/health/servers/{name}", {"name": "io.github.acme/search"}),
    ("list_health", "/health/servers", {"status": "unknown", "tag": "shop", "limit": 1}),
    ("list_active_alerts", "/alerts/active", {}),
    (
        "list_active_alerts",
        "/alerts/active",
        {"state": "firing", "server": "io.github.acme/search", "suppressed": False, "limit": 1},
    ),
    ("list_active_alerts", "/alerts/active", {"labels": {"source": "billing-mcp"}}),
    ("list_active_alerts", "/alerts/active", {"labels": {"sorce": "billing-mcp"}}),
    ("list_active_alerts", "/alerts/active", {"id": "0b2f8c0d5e6a7f19"}),
    (
        "list_alert_history",
        "/alerts/history",
        {
            "rule": "queue_long",
            "labels": {"severity": "warning"},
            "to": NOW.timestamp() + 3600,
            "limit": 1,
        },
    ),
    ("list_silences", "/alerts/silences", {"from": NOW.timestamp() - 86400, "limit": 5}),
    ("list_alert_rules", "/alerts/rules", {"q": "QUEUE", "limit": 1}),
    ("list_alert_rules", "/alerts/rules", {"name": "queue_long"}),
    ("list_alert_rules", "/alerts/rules/{name}", {"name": "queue_long", "limit": 1}),
    ("query_kpis", "/query/kpis", {"window": "7d"}),
    ("query_kpis", "/query/kpis", {"window": "30d", "name": "sale_value"}),
    ("list_kpis", "/kpis", {"limit": 1}),
    ("list_kpis", "/kpis", {"name": "sale_value"}),
    ("query_changes", "/query/changes", {"window": "24h", "limit": 3}),
    ("query_changes", "/query/changes", {"window": "7d", "kind": "Fact:Sale"}),
    ("list_subscriptions", "/subscriptions", {"limit": 1}),
    ("list_subscriptions", "/subscriptions", {"name": "policy"}),
    ("list_subscriptions", "/subscriptions/{name}", {"name": "policy"}),
    ("list_keys", "/access/keys", {"owner": "ann", "active": True, "limit": 1}),
    ("list_keys", "/access/keys", {"active": False}),
    ("list_policies", "/admin/policies", {"policy": "retention"}),
    (
        "plan_retention",
        "/admin/policies/retention/{name}/plan",
        {"name": "data.fact", "drop_after": "5 days"},
    ),
    ("list_pins", "/admin/pins", {}),
    ("doctor", "/admin/doctor", {}),
    (
        "list_restatements",
        "/query/restatements",
        {"kind": "queue_depth", "from": NOW.timestamp() - 2_592_000, "limit": 5},
    ),
    ("list_snapshots", "/query/snapshots", {"limit": 1}),
    ("get_snapshot", "/query/snapshots/{name}", {"name": "week"}),
    ("list_audit", "/access/audit", {"limit": 2}),
    (
        "list_audit",
        "/access/audit",
        {
            "actor": "postgres",
            "action": "update",
            "object_type": "alert_rule",
            "from": NOW.isoformat(),
        },
    ),
]


@pytest.mark.parametrize(("name", "path", "arguments"), CALLS)
async def test_sql_rest_and_mcp_give_the_same_answer(
    history_url: str,
    rest: httpx.AsyncClient,
    server: FastMCP,
    client: Caller,
    name: str,
    path: str,
    arguments: dict[str, Any],
) -> None:
    from_rest = await rest.get(path.format(**arguments), params=query(path, arguments))
    assert from_rest.status_code == 200, from_rest.text
    result = await client.call_tool(name, arguments)
    (content,) = result.content
    assert isinstance(content, TextContent)
    with psycopg.connect(history_url, prepare_threshold=None) as conn:
        from_sql = ask(conn, name, arguments)
    expected = normal(from_sql)
    assert normal(msgspec.json.decode(from_rest.content)) == expected
    assert normal(msgspec.json.decode(content.text)) == expected
    assert normal(result.structured_content) == expected
    # A snapshot is sent as it was hashed; other answers are a line of text.
    assert content.text.encode() == from_rest.content.removesuffix(b"\n")


CONDITION = {"type": "metric", "kind": "queue_depth", "statistic": "max", "window": "1h"}
BACKTEST = "/alerts/rules/backtest"
THRESHOLD = "/alerts/rules/threshold"


@pytest.mark.parametrize(
    ("name", "path", "arguments", "status"),
    [
        ("backtest_alert_rule", BACKTEST, {"name": "queue_long"}, 200),
        (
            "backtest_alert_rule",
            BACKTEST,
            {
                "rule": {"condition": {**CONDITION, "operator": ">", "threshold": 1}},
                "incidents": [],
            },
            200,
        ),
        ("backtest_alert_rule", BACKTEST, {"name": "queue_long", "points": 10}, 200),
        ("backtest_alert_rule", BACKTEST, {"name": "queue_lnog"}, 404),
        ("backtest_alert_rule", BACKTEST, {"name": "queue_long", "incidents": [{"from": 1}]}, 422),
        ("suggest_threshold", THRESHOLD, {"condition": CONDITION, "per_month": 2}, 200),
        ("suggest_threshold", THRESHOLD, {"condition": CONDITION, "per_month": -2}, 422),
        ("query_sql", "/query/sql", {"sql": "select kind, type from kinds order by 1"}, 200),
        ("query_sql", "/query/sql", {"sql": "select kidn from kinds", "limit": 5}, 422),
    ],
)
async def test_rest_and_mcp_answer_a_question_with_a_body_alike(
    rest: httpx.AsyncClient,
    client: Caller,
    name: str,
    path: str,
    arguments: dict[str, Any],
    status: int,
) -> None:
    from_rest = await rest.post(path, json=arguments)
    assert from_rest.status_code == status, from_rest.text
    result = await client.call_tool(name, arguments, raise_on_error=False)
    (content,) = result.content
    assert isinstance(content, TextContent)
    answers = [from_rest.json(), msgspec.json.decode(content.text)]
    for answer in answers:
        answer.pop("request_id", None)
    assert answers[0] == answers[1]


def ask(conn: Connection[Any], name: str, arguments: dict[str, Any]) -> Any:
    """The answer of the function itself; every argument that it has is given."""
    row = conn.execute(
        "select array_agg(substr(argument, 3))"
        " from pg_proc, unnest(proargnames[:pronargs]) as argument"
        " where pronamespace = 'api'::regnamespace and proname = %s",
        [name],
    ).fetchone()
    assert row is not None
    given: dict[str, Any] = dict.fromkeys(row[0]) | instants(arguments)
    if "labels" in given:
        given["labels"] = msgspec.json.encode(given["labels"] or {}).decode()
    if "now" in given:
        given["now"] = NOW
    named = ", ".join(f"p_{argument} => %({argument})s" for argument in given)
    answer = conn.execute(f"select api.{name}({named})".encode(), given).fetchone()
    assert answer is not None
    return answer[0]


def instants(arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments with epoch seconds as SQL takes them."""
    return {
        name: datetime.fromtimestamp(value, UTC) if isinstance(value, float) else value
        for name, value in arguments.items()
    }


def normal(answer: Any) -> bytes:
    """An answer without regard to white space, the order of keys and the spelling of numbers."""
    return msgspec.json.encode(answer, order="sorted")
