"""What a model reads of the tools, and what it gets from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from fastmcp import Client
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from mcp_types import TextContent

from supervisor_mcp.mcp.answers import LARGEST_BYTES, answered
from supervisor_mcp.mcp.tools import all_tools
from supervisor_mcp.operations.clock import now
from supervisor_mcp.operations.context import Context
from tests.mcp.conftest import FACTS, LARGE_FACTS
from tests.support import published

HERE = Path(__file__).parent
Caller = Client[Any]

NAMES = {
    "ingest_metric",
    "ingest_metrics",
    "query_metrics",
    "ingest_fact",
    "ingest_facts",
    "query_facts",
    "query_agg",
    "list_kinds",
    "query_sql",
    "register_server",
    "list_servers",
    "get_server",
    "deregister_server",
    "query_sla",
    "plan_maintenance",
    "list_maintenance",
    "report_health",
    "heartbeat",
    "get_health",
    "list_health",
    "list_active_alerts",
    "list_alert_history",
    "ack_alert",
    "backtest_alert_rule",
    "suggest_threshold",
    "silence_alerts",
    "list_silences",
    "define_alert_rule",
    "list_alert_rules",
    "delete_alert_rule",
    "subscribe",
    "list_subscriptions",
    "unsubscribe",
    "create_key",
    "list_keys",
    "revoke_key",
    "rotate_key",
    "list_audit",
    "list_policies",
    "set_policy",
    "plan_retention",
    "list_pins",
    "pin_window",
    "unpin_window",
    "doctor",
    "query_kpis",
    "list_kpis",
    "define_kpi",
    "delete_kpi",
    "query_changes",
    "list_restatements",
    "create_snapshot",
    "get_snapshot",
    "list_snapshots",
}
# What identifies an aggregate, with any fields.
HEAD = {"kind", "type", "unit", "window", "from", "to", "computed_at"}
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("query_agg", {"window": "7d"}),
    ("query_agg", {"window": "30d", "kind": "queue_depth", "group_by": "label.region"}),
    ("query_agg", {"window": "24h", "kind": "Fact:Sale", "source": "shop-mcp"}),
    ("query_agg", {"window": "7d", "fields": ["count", "p95"]}),
    ("query_facts", {"kind": "Fact:Sale", "limit": 3}),
    ("query_metrics", {"name": "http/requests.total", "step": "6h"}),
    ("list_kinds", {}),
    ("query_sql", {"sql": "select kind, count(*) from facts group by kind", "limit": 1}),
    ("list_servers", {"tag": "shop"}),
    ("get_server", {"name": "io.github.acme/search"}),
    ("query_sla", {"window": "7d"}),
    ("query_sla", {"name": "io.github.acme/search"}),
    ("list_maintenance", {}),
    ("get_health", {"name": "io.github.acme/search"}),
    ("list_health", {"limit": 1}),
    ("list_active_alerts", {}),
    ("list_alert_history", {"limit": 1}),
    ("list_silences", {}),
    ("backtest_alert_rule", {"name": "queue_long"}),
    (
        "suggest_threshold",
        {
            "condition": {"kind": "queue_depth", "statistic": "max", "window": "5m"},
            "per_month": 2,
        },
    ),
    ("list_alert_rules", {}),
    ("list_alert_rules", {"name": "queue_long"}),
    ("list_subscriptions", {}),
    ("list_keys", {"limit": 1}),
    ("list_audit", {"object_type": "alert_rule"}),
    ("list_policies", {}),
    ("plan_retention", {"name": "data.fact"}),
    ("list_pins", {}),
    ("doctor", {}),
    ("query_kpis", {"window": "7d"}),
    ("query_kpis", {"window": "30d", "name": "sale_value"}),
    ("list_kpis", {}),
    ("query_changes", {"window": "24h"}),
    ("list_restatements", {}),
    ("list_snapshots", {}),
    ("get_snapshot", {"name": "week"}),
    ("ingest_facts", {"items": []}),
    ("report_health", {"items": []}),
    ("heartbeat", {"names": []}),
]


async def test_every_tool_is_listed(client: Caller) -> None:
    assert {tool.name for tool in await client.list_tools()} == NAMES


@pytest.mark.parametrize("tool", sorted(NAMES))
def test_every_tool_is_in_the_table_of_the_documentation(tool: str) -> None:
    page = (HERE.parents[1] / "docs" / "mcp.md").read_text(encoding="utf-8")
    assert any(line.startswith("| `") and f"`{tool}`" in line for line in page.splitlines())


def test_what_the_tools_promise_programs_changes_with_the_file_that_says_so() -> None:
    assert list(published.tools()) == (HERE / "tools.txt").read_text().splitlines(), (
        "python -m tests.support.published tools > tests/mcp/tools.txt rewrites it"
    )


def test_what_a_tool_calls_is_no_part_of_what_it_shows() -> None:
    for tool in all_tools(cast("Context", None), now):
        assert {"call", "scope"}.isdisjoint(tool.model_dump()), tool.name


async def test_every_tool_describes_its_answer(client: Caller) -> None:
    for tool in await client.list_tools():
        assert tool.description is not None
        assert "The answer" in tool.description, tool.name


async def test_a_tool_whose_required_arguments_nest_has_an_example_that_fits(
    client: Caller,
) -> None:
    for tool in await client.list_tools():
        assert tool.description is not None
        taken = tool.input_schema
        required = [taken["properties"][name] for name in taken.get("required", ())]
        nested = [
            each
            for each in required
            if "object" in (each.get("type"), each.get("items", {}).get("type"))
        ]
        examples = tool.description.split("Example: ")[1:]
        assert examples or not nested, tool.name
        for text in examples:
            Draft202012Validator(taken).validate(json.JSONDecoder().raw_decode(text)[0])


async def test_every_argument_is_described(client: Caller) -> None:
    for tool in await client.list_tools():
        for name, schema in tool.input_schema["properties"].items():
            assert schema["description"], (tool.name, name)
            assert {"type", "anyOf", "enum"} & schema.keys(), (tool.name, name)


async def test_input_schemas_hold_no_references(client: Caller) -> None:
    for tool in await client.list_tools():
        assert "$ref" not in json.dumps(tool.input_schema)


@pytest.mark.parametrize(("name", "arguments"), CALLS)
async def test_answers_fit_the_output_schema(
    client: Caller, name: str, arguments: dict[str, Any]
) -> None:
    schemas = {tool.name: tool.output_schema for tool in await client.list_tools()}
    result = await client.call_tool(name, arguments)
    Draft202012Validator(schemas[name]).validate(result.structured_content)


async def test_an_aggregate_has_only_the_fields_that_are_named(client: Caller) -> None:
    arguments = {"kind": "queue_depth", "window": "7d", "fields": ["count", "p95"]}
    result = await client.call_tool("query_agg", arguments)
    assert set(result.structured_content or ()) == HEAD | {"count", "p95"}


@pytest.mark.parametrize(("name", "arguments"), CALLS)
async def test_the_text_equals_the_structured_content(
    client: Caller, name: str, arguments: dict[str, Any]
) -> None:
    result = await client.call_tool(name, arguments)
    (content,) = result.content
    assert isinstance(content, TextContent)
    assert msgspec.json.decode(content.text) == result.structured_content


async def test_lists_are_read_to_their_end_by_their_cursor(client: Caller) -> None:
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (
            await client.call_tool("query_facts", {"kind": "Fact:Sale", "limit": 4, **cursor})
        ).structured_content
        assert page is not None
        found += [fact["fact_id"] for fact in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert sorted(found) == sorted(str(fact["fact_id"]) for fact in FACTS)


async def test_a_page_of_large_facts_is_cut_and_its_cursor_leads_to_the_rest(
    client: Caller,
) -> None:
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        result = await client.call_tool("query_facts", {"kind": "Fact:Transcript", **cursor})
        (content,) = result.content
        assert isinstance(content, TextContent)
        assert len(content.text.encode()) <= LARGEST_BYTES
        assert result.structured_content is not None
        page = [fact["fact_id"] for fact in result.structured_content["items"]]
        assert 10 < len(page) < len(LARGE_FACTS) or found
        found += page
        if result.structured_content["next_cursor"] is None:
            break
        cursor = {"cursor": result.structured_content["next_cursor"]}
    assert found == [fact["fact_id"] for fact in LARGE_FACTS]
    assert cursor


async def test_a_large_batch_reports_progress(client: Caller) -> None:
    reported: list[tuple[float, float | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        assert message
        reported.append((progress, total))

    items = [{"name": "9"}] * 200
    await client.call_tool(
        "ingest_metrics", {"items": items, "partial": True}, progress_handler=note
    )
    assert reported == [(0, 200), (200, 200)]


@pytest.mark.parametrize("digits", ["9" * 5000, "1" + "0" * 320 + ".5"])
def test_a_number_that_python_cannot_hold_is_text_in_the_structured_content(digits: str) -> None:
    result = answered(f'{{"payload": {{"n": {digits}}}, "value": 0.5}}'.encode())
    assert result.structured_content == {"payload": {"n": digits}, "value": 0.5}


async def test_all_tools_together_are_cheap_to_list(client: Caller) -> None:
    """At most 12,000 tokens of o200k_base, of which one has 4.2 characters in this list."""
    listed = [
        tool.model_dump(mode="json", by_alias=True, exclude_none=True)
        for tool in await client.list_tools()
    ]
    assert len(json.dumps(listed, separators=(",", ":"))) < 12_000 * 4.2
