"""Resources, prompts and completions."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from fastmcp import Client, FastMCP
from fastmcp.exceptions import ToolError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcp import MCPError
from mcp_types import PromptReference, ResourceTemplateReference, TextContent

from supervisor_mcp.mcp import answers
from supervisor_mcp.mcp.completions import WINDOWS
from supervisor_mcp.mcp.resources import (
    ACTIVE_ALERTS,
    AGGREGATE,
    KINDS,
    SCHEMA,
    SERVER,
    SERVERS,
)
from supervisor_mcp.mcp.server import create_mcp
from supervisor_mcp.operations.context import Context
from tests.mcp import conftest
from tests.mcp.conftest import NOW

Caller = Client[Any]

TEMPLATE = ResourceTemplateReference(type="ref/resource", uri=AGGREGATE)
PROMPT = PromptReference(type="ref/prompt", name="weekly_kpi_report")
KIND_NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.:/-]{0,199}", fullmatch=True)


async def read(client: Caller, uri: str) -> Any:
    (content,) = await client.read_resource(uri)
    assert content.mime_type == "application/json"
    return msgspec.json.decode(content.text)  # type: ignore[union-attr]


async def test_kinds_are_what_list_kinds_answers(client: Caller) -> None:
    answer = await client.call_tool("list_kinds", {"limit": 1000})
    assert await read(client, KINDS) == answer.structured_content


async def test_every_view_of_the_schema_can_be_asked_in_sql(client: Caller) -> None:
    schema = await read(client, SCHEMA)
    for view, about in schema["views"].items():
        columns = ", ".join(column.split(" ")[0] for column in about["columns"])
        asked = {"sql": f"select {columns} from {view}", "limit": 1}
        assert not (await client.call_tool("query_sql", asked)).is_error, view


async def test_nothing_is_asked_in_sql_where_that_is_off(context: Context) -> None:
    off = create_mcp(replace(context, query_sql=False), lambda: NOW)
    async with Client(off) as client:
        with pytest.raises(ToolError, match="query_sql_enabled"):
            await client.call_tool("query_sql", {"sql": "select 1"})


@pytest.mark.parametrize("kind", ["Fact:Sale", "http/requests.total", "queue_depth"])
async def test_an_aggregate_is_what_query_agg_answers(client: Caller, kind: str) -> None:
    answer = await client.call_tool("query_agg", {"kind": kind, "window": "7d"})
    found = await read(client, f"supervisor://agg/{quote(kind, safe='')}/7d")
    assert found == answer.structured_content


async def test_a_kind_without_a_slash_needs_no_encoding(client: Caller) -> None:
    assert (await read(client, "supervisor://agg/Fact:Sale/7d"))["kind"] == "Fact:Sale"


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=KIND_NAMES)
async def test_any_name_of_a_kind_passes_through_a_uri(client: Caller, kind: str) -> None:
    with pytest.raises(MCPError) as raised:
        await client.read_resource(f"supervisor://agg/{quote(kind + '!', safe='')}/7d")
    assert raised.value.error.message == f'unknown kind "{kind}!"'


async def test_a_resource_that_cannot_be_read_tells_the_problem(client: Caller) -> None:
    with pytest.raises(MCPError) as raised:
        await client.read_resource("supervisor://agg/Fact:Sale/week")
    assert raised.value.error.code == -32602
    assert raised.value.error.data["type"] == "urn:supervisor-mcp:problem:window_well_formed"
    assert raised.value.error.data["hint"]


async def test_a_defect_is_an_internal_error_and_not_reported(context: Context) -> None:
    def broken() -> datetime:
        raise RuntimeError("the password is swordfish")

    async with Client(create_mcp(context, broken)) as client:
        with pytest.raises(MCPError) as raised:
            await client.read_resource("supervisor://agg/Fact:Sale/7d")
    assert raised.value.error.code == -32603
    assert raised.value.error.data["type"] == "urn:supervisor-mcp:problem:internal"
    assert "swordfish" not in str(raised.value.error)


@pytest.mark.parametrize(
    "uri",
    [
        KINDS,
        "supervisor://agg/Fact:Sale/7d",
        SERVERS,
        f"{SERVERS}/{quote(conftest.SERVER, safe='')}",
        ACTIVE_ALERTS,
    ],
)
async def test_a_resource_that_is_too_large_is_refused_with_a_way_to_shorten_it(
    client: Caller, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "LARGEST_BYTES", 100)
    with pytest.raises(MCPError) as raised:
        await client.read_resource(uri)
    assert raised.value.error.data["type"] == "urn:supervisor-mcp:problem:answer_within_limit"
    assert raised.value.error.data["hint"]


async def test_servers_are_what_list_servers_answers(client: Caller) -> None:
    answer = await client.call_tool("list_servers", {"limit": 1000})
    assert await read(client, SERVERS) == answer.structured_content


async def test_a_server_is_what_get_server_answers(client: Caller) -> None:
    answer = await client.call_tool("get_server", {"name": conftest.SERVER})
    found = await read(client, f"{SERVERS}/{quote(conftest.SERVER, safe='')}")
    assert found == answer.structured_content


async def test_active_alerts_are_what_list_active_alerts_answers(client: Caller) -> None:
    answer = await client.call_tool("list_active_alerts", {"limit": 1000})
    found = await read(client, ACTIVE_ALERTS)
    assert found == answer.structured_content
    assert len(found["items"]) == 2


async def test_an_unknown_server_is_a_problem_with_the_nearest_name(client: Caller) -> None:
    with pytest.raises(MCPError) as raised:
        await client.read_resource(f"{SERVERS}/io.github.acme%2Fserach")
    assert raised.value.error.data["params"]["nearest"] == conftest.SERVER


@pytest.mark.parametrize(
    ("prompt", "arguments", "expected"),
    [
        (
            "weekly_kpi_report",
            {"kind": "Fact:Sale", "window": "30d"},
            {"query_agg", "query_metrics", "query_facts"},
        ),
        (
            "diagnose_server",
            {"name": conftest.SERVER, "window": "30d"},
            {"get_server", "get_health", "query_sla", "query_agg", "query_facts", "query_metrics"},
        ),
    ],
)
async def test_a_prompt_names_tools_that_there_are(
    client: Caller, prompt: str, arguments: dict[str, str], expected: set[str]
) -> None:
    (message,) = (await client.get_prompt(prompt, arguments)).messages
    assert isinstance(message.content, TextContent)
    named = set(re.findall(r"\b(?:query|list|get|ingest)_[a-z]+\b", message.content.text))
    assert expected <= named
    assert named <= {tool.name for tool in await client.list_tools()}
    assert all(f'"{value}"' in message.content.text for value in arguments.values())


@pytest.mark.parametrize(
    ("arguments", "chooses", "reads_facts"),
    [
        ({}, True, True),
        ({"kind": "cpu"}, False, False),
        ({"kind": "Fact:Sale"}, False, True),
    ],
)
async def test_a_report_on_one_kind_asks_about_no_other(
    client: Caller, arguments: dict[str, str], chooses: bool, reads_facts: bool
) -> None:
    (message,) = (await client.get_prompt("weekly_kpi_report", arguments)).messages
    assert isinstance(message.content, TextContent)
    assert ("query_changes" in message.content.text) is chooses
    assert ("query_facts" in message.content.text) is reads_facts


@pytest.mark.parametrize(
    ("name", "expected"),
    [("weekly_kpi_report", {"kind", "window"}), ("diagnose_server", {"name", "window"})],
)
async def test_the_arguments_of_a_prompt_are_described_as_text(
    client: Caller, name: str, expected: set[str]
) -> None:
    (prompt,) = [each for each in await client.list_prompts() if each.name == name]
    assert prompt.arguments is not None
    assert {argument.name for argument in prompt.arguments} == expected
    for argument in prompt.arguments:
        assert argument.description
        assert "JSON" not in argument.description


@pytest.mark.parametrize(
    ("prompt", "arguments", "field"),
    [
        ("diagnose_server", {}, "name"),
        ("diagnose_server", {"name": ""}, "name"),
        ("diagnose_server", {"name": conftest.SERVER, "window": "a week"}, "window"),
        ("weekly_kpi_report", {"window": "week"}, "window"),
    ],
)
async def test_a_bad_argument_of_a_prompt_is_a_problem_with_its_name(
    client: Caller, prompt: str, arguments: dict[str, str], field: str
) -> None:
    with pytest.raises(MCPError) as raised:
        await client.get_prompt(prompt, arguments)
    assert raised.value.error.code == -32602
    assert raised.value.error.data["params"]["field"] == field
    assert raised.value.error.data["hint"]


@pytest.mark.parametrize("reference", [TEMPLATE, PROMPT])
async def test_kinds_are_completed_by_their_beginning(
    client: Caller, reference: PromptReference | ResourceTemplateReference
) -> None:
    found = await client.complete(reference, {"name": "kind", "value": "Fact:Sa"})
    assert found.values == ["Fact:Sale"]


@pytest.mark.parametrize("typed", ["", "io.github.acme/", "search", "seach"])
@pytest.mark.parametrize(
    "reference",
    [
        ResourceTemplateReference(type="ref/resource", uri=SERVER),
        PromptReference(type="ref/prompt", name="diagnose_server"),
    ],
)
async def test_names_of_servers_are_completed_by_any_part(
    client: Caller, reference: PromptReference | ResourceTemplateReference, typed: str
) -> None:
    found = await client.complete(reference, {"name": "name", "value": typed})
    assert found.values == [conftest.SERVER]


async def test_windows_are_completed(client: Caller) -> None:
    every = await client.complete(TEMPLATE, {"name": "window", "value": ""})
    assert every.values == list(WINDOWS)
    assert (await client.complete(TEMPLATE, {"name": "window", "value": "3"})).values == ["30d"]


async def test_an_argument_without_candidates_completes_to_nothing(client: Caller) -> None:
    assert (await client.complete(PROMPT, {"name": "colour", "value": ""})).values == []


async def test_the_server_says_what_it_is(server: FastMCP) -> None:
    assert server.instructions is not None
    assert "list_kinds" in server.instructions
