"""Requests of every route, about names that several namespaces have and names of one alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from supervisor_mcp.config import Settings
from supervisor_mcp.operations import context as operations
from supervisor_mcp.operations.context import Context
from supervisor_mcp.rest.app import create_app
from tests.support.tenants import NOW

Json = dict[str, Any]
Question = tuple[str, Json]

# What is asked of each route that reads; {word} is that of a tenant.
READS: dict[str, list[Question]] = {
    "query_metrics": [
        ("/query/metrics", {"name": "queue_depth"}),
        ("/query/metrics", {"name": "queue_depth", "source": "shop", "split_by": "version"}),
        ("/query/metrics", {"name": "{word}_depth"}),
        ("/query/metrics", {"name": "queue_depth", "label.region": "{word}"}),
    ],
    "query_facts": [
        ("/query/facts", {}),
        ("/query/facts", {"limit": 1}),
        ("/query/facts", {"kind": "Fact:Sale"}),
        ("/query/facts", {"kind": "Fact:{word}"}),
        ("/query/facts", {"source": "{word}-shop"}),
        ("/query/facts", {"subject": "customer-1"}),
    ],
    "query_agg": [
        ("/query/agg", {"window": "7d"}),
        ("/query/agg", {"window": "7d", "kind": "queue_depth"}),
        ("/query/agg", {"window": "7d", "kind": "queue_depth", "group_by": "source"}),
        ("/query/agg", {"window": "7d", "kind": "queue_depth", "group_by": "label.region"}),
        ("/query/agg", {"window": "7d", "kind": "{word}_depth"}),
        ("/query/agg", {"window": "7d", "kind": "queue_depth", "source": "{word}-shop"}),
        ("/query/agg", {"window": "7d", "as_of": NOW.isoformat()}),
    ],
    "list_kinds": [
        ("/query/kinds", {}),
        ("/query/kinds", {"limit": 1}),
        ("/query/kinds", {"prefix": "{word}"}),
    ],
    "list_servers": [
        ("/registry/servers", {}),
        ("/registry/servers", {"limit": 1}),
        ("/registry/servers", {"q": "{word}"}),
        ("/registry/servers", {"tag": "{word}"}),
        ("/registry/servers", {"health": "unknown"}),
    ],
    "get_server": [("/registry/servers/search", {}), ("/registry/servers/{word}/own", {})],
    "list_health": [
        ("/health/servers", {}),
        ("/health/servers", {"limit": 1}),
        ("/health/servers", {"status": "degraded"}),
    ],
    "get_health": [("/health/servers/search", {}), ("/health/servers/{word}/own", {})],
    "query_sla": [
        ("/health/sla", {"window": "7d"}),
        ("/health/sla", {"window": "7d", "limit": 1}),
        ("/health/sla", {"window": "7d", "name": "{word}/own"}),
    ],
    "list_maintenance": [
        ("/health/maintenance", {"from": "2025-06-01T00:00:00Z"}),
        ("/health/maintenance", {"from": "2025-06-01T00:00:00Z", "limit": 1}),
        ("/health/maintenance", {"name": "{word}/own"}),
    ],
    "list_active_alerts": [
        ("/alerts/active", {}),
        ("/alerts/active", {"limit": 1}),
        ("/alerts/active", {"rule": "{word}_long"}),
        ("/alerts/active", {"label.note": "{word}"}),
        ("/alerts/active", {"label.nobody": "has"}),
    ],
    "list_alert_history": [
        ("/alerts/history", {}),
        ("/alerts/history", {"limit": 1}),
        ("/alerts/history", {"rule": "{word}_long"}),
        ("/alerts/history", {"label.note": "{word}"}),
    ],
    "list_silences": [("/alerts/silences", {}), ("/alerts/silences", {"limit": 1})],
    "list_alert_rules": [
        ("/alerts/rules", {}),
        ("/alerts/rules", {"limit": 1}),
        ("/alerts/rules", {"q": "{word}"}),
    ],
    "get_alert_rule": [("/alerts/rules/queue_long", {}), ("/alerts/rules/{word}_long", {})],
    "query_kpis": [
        ("/query/kpis", {"window": "7d"}),
        ("/query/kpis", {"window": "7d", "name": "{word}_value"}),
    ],
    "list_kpis": [("/kpis", {}), ("/kpis", {"limit": 1}), ("/kpis", {"name": "{word}_value"})],
    "query_changes": [
        ("/query/changes", {"window": "24h"}),
        ("/query/changes", {"window": "24h", "kind": "{word}_depth"}),
    ],
    "list_restatements": [
        ("/query/restatements", {}),
        ("/query/restatements", {"limit": 1}),
        ("/query/restatements", {"kind": "{word}_depth"}),
    ],
    "list_snapshots": [("/query/snapshots", {}), ("/query/snapshots", {"limit": 1})],
    "get_snapshot": [("/query/snapshots/week", {}), ("/query/snapshots/{word}-week", {})],
    "list_subscriptions": [("/subscriptions", {}), ("/subscriptions", {"limit": 1})],
    "get_subscription": [("/subscriptions/hook", {}), ("/subscriptions/{word}-hook", {})],
    "list_policies": [("/admin/policies", {"policy": "retention"})],
    "list_pins": [("/admin/pins", {}), ("/admin/pins", {"source": "{word}-shop"})],
    "livez": [("/livez", {})],
    "readyz": [("/readyz", {})],
}

CONDITION = {"type": "metric", "kind": "queue_depth", "statistic": "max", "window": "1h"}
TESTED = {"condition": {**CONDITION, "operator": ">", "threshold": 2, "group_by": "source"}}
SALES = {"kind": "Fact:Sale", "statistic": "count"}
FACT = {"kind": "Fact:Sale", "source": "shop", "fact_id": "order-1", "value": 99}
METRIC = {"name": "queue_depth", "source": "shop", "value": 99, "ts": NOW.timestamp() - 60}

# What is sent to each other route; the names are those of all tenants, then of one alone.
WRITES: dict[str, list[tuple[str, str, Any]]] = {
    "ingest_metrics": [
        ("POST", "/ingest/metrics", [METRIC]),
        ("POST", "/ingest/metrics", [{**METRIC, "name": "{word}_depth", "source": "{word}-shop"}]),
    ],
    "ingest_facts": [
        ("POST", "/ingest/facts", [FACT]),
        ("POST", "/ingest/facts", [{**FACT, "fact_id": "order-2"}]),
    ],
    "register_server": [
        (
            "PUT",
            "/registry/servers/search",
            {"description": "a", "version": "2.0.0", "owner": "anvil", "probe": False},
        ),
        ("PUT", "/registry/servers/{word}/own", {"description": "a", "version": "2.0.0"}),
    ],
    "heartbeat": [("POST", "/registry/heartbeats", {"names": ["search", "{word}/own"]})],
    "heartbeat_server": [
        ("POST", "/registry/servers/search/heartbeat", None),
        ("POST", "/registry/servers/{word}/own/heartbeat", None),
    ],
    "report_health": [
        ("POST", "/health/reports", [{"server": "search", "status": "down"}]),
        ("POST", "/health/reports", [{"server": "{word}/own", "status": "down"}]),
    ],
    "plan_maintenance": [
        (
            "PUT",
            f"/health/maintenance/{name}",
            {"servers": [server], "to": "2025-06-15T20:00:00Z", "author": "a", "reason": "a"},
        )
        for name, server in (("update", "search"), ("{word}-update", "{word}/own"))
    ]
    + [
        ("PUT", f"/health/maintenance/{name}", {"cancelled": True, "author": "a", "reason": "a"})
        for name in ("update", "{word}-update")
    ],
    "ack_alert": [("POST", "/alerts/active/{alert}/ack", {"author": "a"})],
    "silence_alerts": [
        ("PUT", f"/alerts/silences/{name}", {"cancelled": True, "author": "a"})
        for name in ("night", "{word}-night")
    ],
    "define_alert_rule": [
        ("PUT", f"/alerts/rules/{name}", {**TESTED, "author": "a"})
        for name in ("queue_long", "{word}_long")
    ],
    "query_sql": [
        ("POST", "/query/sql", {"sql": "select kind from kinds"}),
        ("POST", "/query/sql", {"sql": "select to_jsonb(f) from facts as f"}),
    ],
    "backtest_alert_rule": [
        ("POST", "/alerts/rules/backtest", {"name": "queue_long"}),
        ("POST", "/alerts/rules/backtest", {"name": "{word}_long"}),
        ("POST", "/alerts/rules/backtest", {"rule": TESTED}),
    ],
    "suggest_threshold": [
        ("POST", "/alerts/rules/threshold", {"condition": CONDITION, "per_month": 2}),
        (
            "POST",
            "/alerts/rules/threshold",
            {"condition": {**CONDITION, "kind": "{word}_depth"}, "per_month": 2},
        ),
    ],
    "define_kpi": [
        ("PUT", f"/kpis/{name}", {"author": "a", "numerator": SALES})
        for name in ("sale_value", "{word}_value")
    ],
    "delete_kpi": [
        ("DELETE", f"/kpis/{name}?author=a", None) for name in ("sale_value", "{word}_value")
    ],
    "subscribe": [
        ("PUT", f"/subscriptions/{name}", {"author": "a", "url": "https://a.example", "alerts": {}})
        for name in ("hook", "{word}-hook")
    ],
    "pin_window": [
        (
            "POST",
            "/admin/pins",
            {
                "source": source,
                "from": "2025-06-15T00:00:00Z",
                "to": "2025-06-15T01:00:00Z",
                "reason": "a",
            },
        )
        for source in ("shop", "{word}-shop")
    ],
    "unpin_window": [("DELETE", f"/admin/pins/{number}", None) for number in (1, 2, 3)],
    "create_snapshot": [
        ("POST", "/query/snapshots", {"name": name, "window": "7d", "author": "a"})
        for name in ("week", "{word}-week")
    ],
    "unsubscribe": [("DELETE", f"/subscriptions/{name}", None) for name in ("hook", "{word}-hook")],
    "delete_alert_rule": [
        ("DELETE", f"/alerts/rules/{name}?author=a", None) for name in ("queue_long", "{word}_long")
    ],
    "deregister_server": [
        ("DELETE", "/registry/servers/search?owner=anvil", None),
        ("DELETE", "/registry/servers/{word}/own?owner={word}", None),
    ],
}
# Sent by a tenant of its own: what other writes are about is gone then.
TAKES_AWAY = {"delete_alert_rule", "delete_kpi", "unsubscribe", "deregister_server"}
STREAMS = {"stream_facts", "stream_alerts"}
OF_THE_SERVICE = {"metrics"}
# The default namespace manages the keys, and reads the audit, of all.
OF_THE_OPERATOR = {
    *("create_key", "list_keys", "revoke_key", "rotate_key", "list_audit"),
    *("set_policy", "plan_retention", "doctor"),
}


@asynccontextmanager
async def connected(url: str, redis_url: str) -> AsyncIterator[Context]:
    """The context of a service on these servers."""
    settings = Settings(
        database_url=url, redis_url=redis_url, key_secret="a secret that digests the keys of tests"
    )
    async with operations.connected(operations.build(settings)) as context:
        yield context


@asynccontextmanager
async def serving(context: Context) -> AsyncIterator[httpx.AsyncClient]:
    """A client of REST on this context."""
    transport = httpx.ASGITransport(create_app(context, lambda: NOW))
    async with httpx.AsyncClient(transport=transport, base_url="http://rest") as client:
        yield client
