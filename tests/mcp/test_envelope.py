"""What the HTTP transport answers to requests that real clients send a little differently."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastmcp import FastMCP
from hypothesis import given
from hypothesis import strategies as st

from supervisor_mcp.mcp.http import create_http_app
from supervisor_mcp.mcp.separators import escape_separators
from tests.mcp.test_library import call

LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
ACCEPTED = {"Accept": "application/json, text/event-stream"}


@asynccontextmanager
async def transport(server: FastMCP) -> AsyncIterator[httpx.AsyncClient]:
    """The transport over the history, in this process."""
    app = create_http_app(server)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://127.0.0.1", headers=ACCEPTED
        ) as connected,
    ):
        yield connected


@pytest.mark.parametrize("name", ["query_agg ", " query_agg", "query_agg\t"])
async def test_white_space_around_a_header_value_is_no_part_of_it(
    server: FastMCP, name: str
) -> None:
    request = call("query_agg", {"window": "7d"})
    request["headers"]["Mcp-Name"] = name
    async with transport(server) as http:
        answer = await http.post("/mcp", **request)
    assert answer.json()["result"]["structuredContent"]["window"] == "7d"


@pytest.mark.parametrize("version", ["1999-01-01", "2099-01-01", "latest"])
@pytest.mark.parametrize("body", [LIST, call("query_agg", {"window": "7d"})["json"]])
async def test_an_unknown_protocol_version_is_answered_with_the_known_ones(
    server: FastMCP, version: str, body: dict[str, Any]
) -> None:
    async with transport(server) as http:
        answer = await http.post("/mcp", json=body, headers={"MCP-Protocol-Version": version})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, -32022)
    assert error["message"].startswith(f'unsupported protocol version "{version}"; supported')
    assert error["data"]["requested"] == version
    assert "2026-07-28" in error["data"]["supported"]


@pytest.mark.parametrize("body", [[LIST, LIST], 5, "text", {"id": 1, "method": "tools/list"}])
async def test_a_body_that_is_not_one_message_is_answered_with_a_sentence(
    server: FastMCP, body: object
) -> None:
    async with transport(server) as http:
        answer = await http.post("/mcp", json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, -32600)
    assert error["message"].startswith("the body is not one JSON-RPC 2.0 request")
    assert int(answer.headers["content-length"]) == len(answer.content)


@pytest.mark.parametrize("separator", ["\u0085", "\u2028", "\u2029"])
@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_line_separators_in_an_answer_are_escaped(
    server: FastMCP, separator: str, era: str
) -> None:
    request = call("query_agg", {"window": "7d", "kind": f"a{separator}b"})
    if era == "legacy":
        del request["json"]["params"]["_meta"], request["headers"]
    async with transport(server) as http:
        answer = await http.post("/mcp", **request)
    assert separator not in answer.text
    (data,) = [
        line.removeprefix("data: ")
        for line in answer.text.split("\n")
        if line.startswith(("data: ", "{"))
    ]
    problem = json.loads(json.loads(data)["result"]["content"][0]["text"])
    assert f"a{separator}b" in problem["detail"]


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_escaping_changes_no_meaning(value: object) -> None:
    raw = json.dumps(value, ensure_ascii=False)
    escaped = escape_separators(raw.encode("utf-8", "surrogatepass")).decode(
        "utf-8", "surrogatepass"
    )
    assert json.loads(escaped) == value
    assert not set(escaped) & set("\u0085\u2028\u2029")
