"""One truth: schema api, the OpenAPI document and the tools name and type the same capabilities."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import psycopg
import pytest
from fastmcp import Client, FastMCP
from mcp_types import TextContent, Tool
from psycopg import Connection
from psycopg.rows import dict_row

from supervisor_mcp.operations.context import Context
from supervisor_mcp.rest.app import create_app
from supervisor_mcp.rest.parameters import HEADERS
from tests.mcp.conftest import NOW, SERVER

Caller = Client[Any]
Schema = dict[str, Any]

# Functions of schema api that are no capability of their own, and what they are part of.
WITHIN = {
    "get_state": "/readyz and /metrics",
    "record_agg": "query_agg",
    "get_visibility": "the cache",
    "list_changes": "the cache",
    "record_uptime": "get_health and query_sla",
    "renew_lease": "loops of the service",
    "list_probe_targets": "the prober",
    "record_probes": "the prober",
    "take_deliveries": "the sender",
    "record_deliveries": "the sender",
}
# Tools for one item of what a function takes many of.
SINGULAR = {"ingest_metric": "ingest_metrics", "ingest_fact": "ingest_facts"}
# Operations of REST for one of what a function takes many of.
# Streams have no tool: over MCP, a resource says that it has changed.
STREAMS = {"stream_facts", "stream_alerts"}
# What the service itself gives the function of a stream.
PAGING = {"until", "limit", "now"}
ONE = {"heartbeat_server": "heartbeat", "get_alert_rule": "list_alert_rules"}
# Questions that need a body.
ASKED_BY_POST = {"backtest_alert_rule", "suggest_threshold"}
# Paths about the service itself.
OPERATIONAL = {"/livez", "/readyz", "/metrics"}
# The name of an argument in SQL where a tool calls it otherwise; None is given by the service.
RENAMED: dict[str, str | None] = {"body": "items", "now": None}
# Whether a tool reads, destroys and may be repeated, by the method of REST; None is the protocol's
# default: a tool that does not only read destroys, and is not to be repeated.
HINTS = {
    "get": (True, None, None),
    "post": (False, False, None),
    "put": (False, False, True),
    "delete": (False, None, True),
}
# Paths of documents.
REGISTRY = f"/registry/servers/{SERVER}"
RULES = "/alerts/rules/queue_long"
SUBSCRIPTION = "/subscriptions/policy"
PATH_NAMES = {REGISTRY: SERVER, RULES: "queue_long", SUBSCRIPTION: "policy"}
# How a JSON value of a type of SQL is described.
TYPES = {
    "text": {"string"},
    "integer": {"integer"},
    "boolean": {"boolean"},
    "timestamp with time zone": {"string", "number"},
    "json": {"array", "object"},
    "jsonb": {"array", "object"},
    "text[]": {"array"},
}

FUNCTIONS = """
select
    proname as name, provolatile as volatility, obj_description(pg_proc.oid, 'pg_proc') as comment,
    coalesce((
        select json_object_agg(substr(argument, 3), format_type(type, null))
        from unnest(proargnames[:pronargs], proargtypes::oid[]) as given (argument, type)
    ), '{}') as arguments
from pg_proc
where pronamespace = 'api'::regnamespace
"""


@pytest.fixture
def functions(history_url: str) -> dict[str, dict[str, Any]]:
    """Functions of schema api by their names."""
    with psycopg.connect(history_url, prepare_threshold=None, row_factory=dict_row) as conn:
        return {row["name"]: row for row in conn.execute(FUNCTIONS)}


@pytest.fixture
async def tools(client: Caller) -> dict[str, Tool]:
    """Tools by their names."""
    return {tool.name: tool for tool in await client.list_tools()}


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


@pytest.fixture
def operations(openapi: dict[str, Any]) -> dict[str, dict[str, Any]]:
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


def members(operation: dict[str, Any]) -> Schema:
    """What the body of a request holds: items, or the members of an object."""
    if "requestBody" not in operation:
        return {}
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    held: Schema = {"items": schema} if "anyOf" in schema else schema["properties"]
    return held


def types(schema: Schema) -> set[str]:
    """The JSON types that a schema admits."""
    listed = schema["type"]
    return {listed} if isinstance(listed, str) else set(listed)


def names(operation: dict[str, Any]) -> set[str]:
    """The arguments of an operation of REST, spelled as those of tools."""
    found = {p["name"] for p in operation["parameters"]} - {"If-None-Match"}
    found |= operation["members"].keys()
    arguments = {header: argument for argument, header in HEADERS.items()}
    return {arguments.get(name, name) for name in found}


def test_every_capability_is_in_sql_rest_and_mcp(
    functions: dict[str, Any], operations: dict[str, Any], tools: dict[str, Tool]
) -> None:
    capabilities = functions.keys() - WITHIN.keys()
    assert capabilities == operations.keys() - ONE.keys()
    assert capabilities - STREAMS == tools.keys() - SINGULAR.keys()
    assert SINGULAR.keys() <= tools.keys()
    assert ONE.keys() <= operations.keys()


def test_every_function_is_commented(functions: dict[str, Any]) -> None:
    assert [name for name, function in functions.items() if not function["comment"]] == []


def test_arguments_have_the_same_names_and_types_in_sql_and_in_tools(
    functions: dict[str, Any], operations: dict[str, Any], tools: dict[str, Tool]
) -> None:
    for name in functions.keys() - WITHIN.keys() - STREAMS:
        in_sql = {
            RENAMED.get(argument, argument): TYPES[type_]
            for argument, type_ in functions[name]["arguments"].items()
            if RENAMED.get(argument, argument) is not None
        }
        in_tool = {n: types(s) for n, s in tools[name].input_schema["properties"].items()}
        if in_sql.pop("document", None):
            # Its members are arguments, of which the path has some too; SQL validates them.
            for member in operations[name]["members"].keys() - in_sql.keys():
                assert in_tool.pop(member), (name, member)
        assert in_tool.keys() == in_sql.keys(), name
        for argument, expected in in_sql.items():
            assert argument is not None
            assert in_tool[argument] <= expected, (name, argument)


def test_arguments_have_the_same_names_in_rest_and_in_tools(
    operations: dict[str, dict[str, Any]], tools: dict[str, Tool]
) -> None:
    for name in operations.keys() - ONE.keys() - STREAMS:
        operation = operations[name]
        assert set(tools[name].input_schema["properties"]) == names(operation), name


def test_arguments_of_streams_have_the_same_names_in_sql_and_in_rest(
    functions: dict[str, Any], operations: dict[str, dict[str, Any]]
) -> None:
    for name in STREAMS:
        assert functions[name]["arguments"].keys() - PAGING == names(operations[name]), name


def test_the_hints_of_a_tool_say_what_its_function_and_its_method_do(
    functions: dict[str, Any], operations: dict[str, Any], tools: dict[str, Tool]
) -> None:
    for name, tool in tools.items():
        hints = tool.annotations
        assert hints is not None
        method = operations[SINGULAR.get(name, name)]["method"]
        given = (hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint)
        assert given == (HINTS["get"] if name in ASKED_BY_POST else HINTS[method]), name
        stable = functions[SINGULAR.get(name, name)]["volatility"] != "v"
        assert hints.read_only_hint is stable, name
        assert hints.open_world_hint is False, name


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
    ("list_subscriptions", "/subscriptions", {"limit": 1}),
    ("list_subscriptions", "/subscriptions", {"name": "policy"}),
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
    assert content.text.encode() + b"\n" == from_rest.content


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
        ("backtest_alert_rule", BACKTEST, {"name": "queue_lnog"}, 404),
        ("backtest_alert_rule", BACKTEST, {"name": "queue_long", "incidents": [{"from": 1}]}, 422),
        ("suggest_threshold", THRESHOLD, {"condition": CONDITION, "per_month": 2}, 200),
        ("suggest_threshold", THRESHOLD, {"condition": CONDITION, "per_month": -2}, 422),
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
        ("list_subscriptions", "/subscriptions", {"name": "polcy"}),
        ("list_subscriptions", "/subscriptions", {"cursor": "x"}),
        ("unsubscribe", "/subscriptions/{name}", {"name": "polcy"}),
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


def query(path: str, arguments: dict[str, Any]) -> dict[str, str]:
    """Arguments of a tool as query parameters, without those in the path."""
    labels = {f"label.{n}": v for n, v in arguments.get("labels", {}).items()}
    elsewhere = {"labels", *(n for n in arguments if f"{{{n}}}" in path)}
    sent = {n: str(v) for n, v in arguments.items() if n not in elsewhere}
    booleans = {n: str(v).lower() for n, v in arguments.items() if isinstance(v, bool)}
    return sent | booleans | labels


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
