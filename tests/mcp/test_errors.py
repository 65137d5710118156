"""What a model gets when a call fails."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import pytest
from fastmcp import Client, FastMCP
from mcp_types import TextContent

from supervisor_mcp import db
from supervisor_mcp.config import Settings
from supervisor_mcp.mcp.server import create_mcp
from supervisor_mcp.operations import context as operations
from supervisor_mcp.operations.context import Context

Caller = Client[Any]


async def refused(client: Caller, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The problem that a call ends with."""
    result = await client.call_tool(name, arguments, raise_on_error=False)
    assert result.is_error
    assert result.structured_content is None
    (content,) = result.content
    assert isinstance(content, TextContent)
    problem: dict[str, Any] = msgspec.json.decode(content.text)
    assert problem["request_id"]
    return problem


def slug(problem: dict[str, Any]) -> str:
    prefix, _, name = problem["type"].rpartition(":")
    assert prefix == "urn:supervisor-mcp:problem"
    return str(name)


@pytest.mark.parametrize(
    ("name", "arguments", "expected", "field"),
    [
        ("query_agg", {}, "parameter_required", "window"),
        ("query_agg", {"window": 7}, "parameter_well_formed", "window"),
        ("query_agg", {"window": "7d", "kid": "x"}, "parameter_known", "kid"),
        ("query_agg", {"window": "a week"}, "window_well_formed", "window"),
        ("query_agg", {"window": "7d", "kind": "nothing"}, "kind_unknown", "kind"),
        ("query_agg", {"window": "7d", "kind": "a\0b"}, "parameter_well_formed", "kind"),
        ("query_agg", {"window": "7d", "as_of": "yesterday"}, "parameter_well_formed", "as_of"),
        ("query_agg", {"window": "7d", "group_by": "kind"}, "group_by_well_formed", "group_by"),
        ("query_facts", {"limit": "10"}, "parameter_well_formed", "limit"),
        ("query_facts", {"limit": True}, "parameter_well_formed", "limit"),
        ("query_facts", {"limit": 1001}, "limit_in_range", "limit"),
        ("query_facts", {"cursor": "x"}, "cursor_invalid", "cursor"),
        ("query_facts", {"from": []}, "parameter_well_formed", "from"),
        (
            "query_metrics",
            {"name": "queue_depth", "labels": {"a": 1}},
            "parameter_well_formed",
            "labels.a",
        ),
        ("list_kinds", {"type": "event"}, "kind_type_known", "type"),
        ("ingest_metrics", {"items": "[]"}, "parameter_well_formed", "items"),
        ("ingest_metrics", {"items": [], "partial": "yes"}, "parameter_well_formed", "partial"),
        ("ingest_fact", {"kind": "Fact:Sale"}, "parameter_required", "source"),
    ],
)
async def test_a_bad_argument_is_named_with_the_next_step(
    client: Caller, name: str, arguments: dict[str, Any], expected: str, field: str
) -> None:
    problem = await refused(client, name, arguments)
    assert (slug(problem), problem["params"]["field"]) == (expected, field)
    assert problem["hint"]


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("query_facts", lambda name: {name: 1}),
        ("query_metrics", lambda name: {"name": "queue_depth", "labels": {name: 1}}),
        ("query_metrics", lambda name: {"name": "queue_depth", "labels": {name: "\0"}}),
        ("ingest_metric", lambda name: {"name": "a", "source": "a", "value": 1, name: 1}),
        ("ingest_fact", lambda name: {"kind": "Fact:Sale", "source": "a", name: 1}),
    ],
)
async def test_an_error_about_a_long_name_is_short(
    client: Caller, tool: str, arguments: Callable[[str], dict[str, Any]]
) -> None:
    problem = await refused(client, tool, arguments("x" * 2**21))
    assert "x" * 100 in problem["params"]["field"]
    assert len(msgspec.json.encode(problem)) < 2000


async def test_every_bad_item_of_a_batch_is_named(client: Caller) -> None:
    items = [{"name": "9", "source": "a", "value": 1}, {"name": "a", "source": "a", "value": 1}, 5]
    problem = await refused(client, "ingest_metrics", {"items": items})
    assert slug(problem) == "items_refused"
    assert [(item["index"], item["slug"]) for item in problem["params"]["items"]] == [
        (0, "kind_name_well_formed"),
        (2, "item_is_object"),
    ]


@pytest.mark.parametrize("partial", [False, True])
async def test_an_answer_about_many_bad_items_stays_within_a_mebibyte(
    client: Caller, partial: bool
) -> None:
    unknown = {f"{n}" + "é" * 100: n for n in range(6)}
    items = [{"name": "9", "source": "a b", "value": "x", **unknown}] * 900
    arguments = {"items": items, "partial": partial}
    result = await client.call_tool("ingest_metrics", arguments, raise_on_error=False)
    (content,) = result.content
    assert isinstance(content, TextContent)
    assert result.is_error is not partial
    assert len(content.text.encode()) <= 1024 * 1024
    answer = msgspec.json.decode(content.text)
    holder, name = (answer, "rejected") if partial else (answer["params"], "items")
    listed = {item["index"] for item in holder[name]}
    assert 100 < len(listed) < 900
    assert holder["omitted"] == 900 - len(listed)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
async def test_numbers_that_json_lacks_are_refused(server: FastMCP, number: float) -> None:
    # A client writes null for them; Python's parser reads them from the wire.
    fact = {"kind": "Fact:Sale", "source": "a", "payload": {"n": number}}
    result = await server.call_tool("ingest_fact", fact)
    (content,) = result.content
    assert isinstance(content, TextContent)
    assert slug(msgspec.json.decode(content.text)) == "json_malformed"


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"text": "a\0b"}, "json_malformed"),
        ({"text": "x" * 70_000}, "items_refused"),
    ],
)
async def test_what_json_or_the_database_cannot_hold_is_refused(
    client: Caller, payload: dict[str, Any], expected: str
) -> None:
    fact = {"kind": "Fact:Sale", "source": "a", "payload": payload}
    assert slug(await refused(client, "ingest_fact", fact)) == expected


@pytest.mark.parametrize("depth", [200, 230, 400])
async def test_deep_nesting_is_refused(server: FastMCP, depth: int) -> None:
    payload: dict[str, Any] = {}
    for _ in range(depth):
        payload = {"a": payload}
    fact = {"kind": "Fact:Sale", "source": "a", "payload": payload}
    (content,) = (await server.call_tool("ingest_fact", fact)).content
    assert isinstance(content, TextContent)
    assert slug(msgspec.json.decode(content.text)) == "json_too_deep"


async def test_more_items_than_a_batch_holds_are_refused(client: Caller) -> None:
    problem = await refused(client, "ingest_metrics", {"items": [{}] * 10_001})
    assert (slug(problem), problem["status"]) == ("batch_within_limit", 413)


async def test_an_answer_that_is_too_long_is_refused_with_a_way_to_shorten_it(
    client: Caller,
) -> None:
    query = {
        "name": "queue_depth",
        "step": "2s",
        "source": "orders-mcp",
        "labels": {"region": "eu"},
    }
    problem = await refused(client, "query_metrics", query)
    assert slug(problem) == "answer_within_limit"
    assert "step" in problem["hint"]


async def test_an_unknown_tool_is_answered_with_the_names_of_those_there_are(
    client: Caller,
) -> None:
    problem = await refused(client, "query_everything", {})
    assert slug(problem) == "tool_unknown"
    assert "query_agg" in problem["params"]["known"]
    problem = await refused(client, "q" * 101, {})
    assert problem["detail"] == f'unknown tool "{"q" * 100}"'


async def test_a_defect_is_logged_under_the_request_id_and_not_reported(
    context: Context, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> datetime:
        raise RuntimeError("the password is swordfish")

    async with Client(create_mcp(context, broken)) as client:
        problem = await refused(client, "query_agg", {"window": "7d"})
    assert slug(problem) == "internal"
    assert "swordfish" not in str(problem)
    (record,) = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert problem["request_id"] in record.getMessage()
    assert "swordfish" in str(record.exc_info)


@pytest.mark.server
async def test_a_database_that_is_gone_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "POOL_SECONDS", 0.5)
    nowhere = Settings(database_url="postgresql://postgres@127.0.0.1:1/postgres", redis_url=None)
    async with (
        operations.connected(operations.build(nowhere)) as context,
        Client(create_mcp(context)) as client,
    ):
        problem = await refused(client, "list_kinds", {})
    assert (slug(problem), problem["status"]) == ("unavailable", 503)
