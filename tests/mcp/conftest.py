"""A database with some history, and the MCP server over it at a fixed time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from fastmcp import Client, FastMCP
from psycopg.types.json import Json, Jsonb
from pydantic import SecretStr

from supervisor_mcp.config import Settings
from supervisor_mcp.mcp.server import create_mcp
from supervisor_mcp.operations import context as operations
from supervisor_mcp.operations.context import Context
from supervisor_mcp.rest.app import create_app
from tests.sql.raised_alerts import add_silence, add_transition, matcher, raise_alert
from tests.support.timescaledb import Server

NOW = datetime(2025, 6, 15, 12, 30, tzinfo=UTC)
METRICS = [
    {
        "name": name,
        "source": source,
        "value": value,
        "type": kind,
        "unit": unit,
        "labels": {"region": region},
        "ts": (NOW - timedelta(hours=hours)).timestamp(),
    }
    for hours, value in [(1, 4), (30, 8), (24 * 9, 15)]
    for name, kind, unit in [
        ("queue_depth", "gauge", "jobs"),
        ("http/requests.total", "counter", None),
    ]
    for source in ("orders-mcp", "billing-mcp")
    for region in ("eu", "us")
]
FACTS = [
    {
        "kind": "Fact:Sale",
        "source": source,
        "fact_id": f"{source}-{number}",
        "subject": f"customer-{number % 3}",
        "value": 10.5 * number,
        "payload": {"currency": "EUR", "note": 'a "quoted" ü', "none": None},
        "ts": (NOW - timedelta(hours=7 * number)).timestamp(),
    }
    for source in ("shop-mcp", "web-mcp")
    for number in range(1, 12)
]
LARGE_FACTS = [
    {
        "kind": "Fact:Transcript",
        "source": "chat-mcp",
        "fact_id": str(number),
        "payload": {"text": "x" * 60_000},
        "ts": (NOW - timedelta(minutes=number)).timestamp(),
    }
    for number in range(25)
]
SERVER = "io.github.acme/search"
# Paths about the service itself.
OPERATIONAL = {"/livez", "/readyz", "/metrics"}
VERSIONS = [
    (
        NOW - timedelta(hours=hours),
        {
            "description": "Searches the shop",
            "version": version,
            "owner": "acme",
            "tags": ["shop"],
            "source": "orders-mcp",
            "remotes": [{"type": "streamable-http", "url": "https://mcp.acme.example/mcp"}],
            "capabilities": {"tools": [{"name": tool}]},
        },
    )
    for hours, version, tool in [(48, "1.0.0", "find"), (2, "1.1.0", "search")]
]
RULES: list[tuple[datetime, dict[str, Any]]] = [
    (
        NOW - timedelta(hours=hours),
        {
            "author": "ann",
            "condition": {
                "type": "metric",
                "kind": "queue_depth",
                "statistic": "max",
                "window": "5m",
                "operator": ">",
                "threshold": threshold,
                "group_by": "source",
            },
        },
    )
    for hours, threshold in [(48, 100), (2, 50)]
]
SUBSCRIPTION = {
    "author": "ann",
    "url": "https://policy.example/hook",
    "facts": {"kinds": ["Fact:Sale"]},
}
KPI = {
    "author": "ann",
    "numerator": {"kind": "Fact:Sale", "statistic": "sum"},
    "denominator": {"kind": "Fact:Sale", "statistic": "count"},
    "unit": "EUR",
    "target": 50,
}
KEYS = ("aaaaaaaa", "bbbbbbbb")


@pytest.fixture(scope="package")
def history_url(database_server: Server) -> Iterator[str]:
    """DSN of a database that holds the items above; add nothing to it."""
    with database_server.deployed() as url:
        with psycopg.connect(url, autocommit=True, prepare_threshold=None) as conn:
            for function, items in (("metrics", METRICS), ("facts", FACTS), ("facts", LARGE_FACTS)):
                conn.execute(
                    f"select api.ingest_{function}(%s, false, null, %s)".encode(),
                    [Json(items), NOW],
                )
            for registered, document in VERSIONS:
                conn.execute(
                    "select api.register_server(%s, %s, %s)",
                    [SERVER, Jsonb(document), registered],
                )
            for severity, source in (("critical", "orders-mcp"), ("warning", "billing-mcp")):
                alert = raise_alert(conn, severity=severity, source=source)
                add_transition(conn, alert)
            add_silence(conn, "update-7", matcher("source", "=~", "billing-.*"))
            for defined, document in RULES:
                conn.execute(
                    "select api.define_alert_rule('queue_long', %s, %s)", [Jsonb(document), defined]
                )
            conn.execute("select api.create_snapshot('week', '7d', 'ann', %s)", [NOW])
            conn.execute("select api.subscribe('policy', %s, %s)", [Jsonb(SUBSCRIPTION), NOW])
            conn.execute("select api.define_kpi('sale_value', %s, %s)", [Jsonb(KPI), NOW])
            for key_id in KEYS:
                conn.execute(
                    "select api.create_key(%s, %s, 'ann', '{read}', null, null, null, null, %s)",
                    [key_id, bytes(32), NOW],
                )
        yield url


@pytest.fixture
async def context(history_url: str, redis_url: str) -> AsyncIterator[Context]:
    """The operations over the history, connected."""
    settings = Settings(
        database_url=history_url,
        redis_url=redis_url,
        cache_ttl_seconds=1,
        key_secret=SecretStr("0123456789abcdef0123456789abcdef"),
    )
    async with operations.connected(operations.build(settings)) as connected:
        yield connected


@pytest.fixture
def server(context: Context) -> FastMCP:
    """The MCP server over the history at NOW."""
    return create_mcp(context, lambda: NOW)


@pytest.fixture
async def client(server: FastMCP) -> AsyncIterator[Client[Any]]:
    """An in-memory client of the server."""
    async with Client(server) as connected:
        yield connected


@pytest.fixture
async def rest(context: Context) -> AsyncIterator[httpx.AsyncClient]:
    """REST over the history at NOW."""
    transport = httpx.ASGITransport(create_app(context, lambda: NOW))
    async with httpx.AsyncClient(transport=transport, base_url="http://rest") as connected:
        yield connected


@pytest.fixture
async def openapi(rest: httpx.AsyncClient) -> dict[str, Any]:
    """The OpenAPI document."""
    document: dict[str, Any] = (await rest.get("/openapi.json")).json()
    return document


@pytest.fixture(name="operations")
def operations_of_rest(openapi: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Operations of REST by their ids, with their methods and the members of their bodies."""
    return {
        operation["operationId"]: {
            **operation,
            "method": method,
            "members": members(operation),
        }
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
        if path not in OPERATIONAL
    }


def members(operation: dict[str, Any]) -> dict[str, Any]:
    """What the body of a request holds: items, or the members of an object."""
    if "requestBody" not in operation:
        return {}
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    held: dict[str, Any] = {"items": schema} if "anyOf" in schema else schema["properties"]
    return held
