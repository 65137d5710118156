"""One truth: schema api, the OpenAPI document and the tools name and type the same capabilities."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from fastmcp import Client
from mcp_types import Tool
from psycopg.rows import dict_row

from supervisor_mcp.rest.parameters import HEADERS

Caller = Client[Any]
Schema = dict[str, Any]

# Functions of schema api that are no capability of their own, and what they are part of.
WITHIN = {
    "get_state": "/readyz and /metrics",
    "record_agg": "query_agg",
    "get_replication": "reads on a standby",
    "get_visibility": "the cache",
    "list_changes": "the cache",
    "ingest_metrics_together": "ingest_metrics",
    "ingest_facts_together": "ingest_facts",
    "record_uptime": "get_health and query_sla",
    "renew_lease": "loops of the service",
    "repair_jobs": "loops of the service",
    "list_probe_targets": "the prober",
    "record_probes": "the prober",
    "take_deliveries": "the sender",
    "record_deliveries": "the sender",
    "authenticate_key": "who sends a request",
    "record_key_use": "list_keys",
    "describe_schema": "supervisor://schema",
}
# Tools for one item of what a function takes many of.
SINGULAR = {"ingest_metric": "ingest_metrics", "ingest_fact": "ingest_facts"}
# Streams have no tool: over MCP, a resource says that it has changed.
STREAMS = {"stream_facts", "stream_alerts"}
# What the service itself gives the function of a stream.
PAGING = {"until", "limit", "now"}
# Operations of REST for one of what a function takes many of.
ONE = {
    "heartbeat_server": "heartbeat",
    "get_alert_rule": "list_alert_rules",
    "get_subscription": "list_subscriptions",
}
# Questions that need a body.
ASKED_BY_POST = {"backtest_alert_rule", "suggest_threshold", "query_sql"}
# What changes something, and is rolled back.
ROLLED_BACK = {"query_sql"}
# The name of an argument in SQL where a tool calls it otherwise; None is given by the service.
RENAMED: dict[str, str | None] = {
    **{"body": "items", "now": None, "key_id": None, "digest": None, "cache": None}
}
# Whether a tool reads, destroys and may be repeated, by the method of REST; None is the protocol's
# default: a tool that does not only read destroys, and is not to be repeated.
HINTS = {
    "get": (True, None, None),
    "post": (False, False, None),
    "put": (False, False, True),
    "delete": (False, None, True),
}
# How a JSON value of a type of SQL is described.
TYPES = {
    "text": {"string"},
    "integer": {"integer"},
    "bigint": {"integer"},
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
        assert hints.read_only_hint is (stable or name in ROLLED_BACK), name
