"""What the HTTP transport answers to requests that real clients send a little differently."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
import pytest
from fastmcp import FastMCP
from hypothesis import given
from hypothesis import strategies as st

from supervisor_mcp.mcp.envelope import NOT_ONE_MESSAGE, Envelope
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


async def test_the_transport_has_no_sessions_and_leaves_hosts_and_origins_to_the_guard(
    server: FastMCP,
) -> None:
    foreign = {"Host": "mcp.example", "Origin": "https://page.example"}
    async with transport(server) as http:
        answer = await http.post("/mcp", json=LIST, headers=foreign)
    assert answer.status_code == 200
    assert "mcp-session-id" not in answer.headers
    # Progress comes before an answer, for which one document has no place.
    assert answer.headers["content-type"].startswith("text/event-stream")


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


async def passed_on(
    status: int, *bodies: bytes, version: str = "", kind: str = "http"
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The scope that an application gets, and what is sent of its answer."""
    scopes: list[dict[str, Any]] = []
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        scopes.append(scope)
        start = {"type": "http.response.start", "status": status, "headers": [(b"a", b"b")]}
        await send(start)
        for place, body in enumerate(bodies, start=1):
            more = place < len(bodies)
            await send({"type": "http.response.body", "body": body, "more_body": more})

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"mcp-name", b" \ta b\t "), (b"mcp-protocol-version", version.encode())]
    await Envelope(app)({"type": kind, "headers": headers}, cast("Any", None), send)
    return scopes[0], sent


async def test_what_is_no_request_is_passed_on_as_it_is() -> None:
    scope, _ = await passed_on(200, kind="lifespan")
    assert scope["headers"][0] == (b"mcp-name", b" \ta b\t ")
    scope, _ = await passed_on(200)
    assert scope["headers"][0] == (b"mcp-name", b"a b")


async def test_parts_of_an_answer_are_sent_as_they_come() -> None:
    _, sent = await passed_on(200, b"a", b"\xe2\x80\xa8")
    assert [each.get("body") for each in sent] == [None, b"a", b"\\u2028"]
    assert [each.get("more_body") for each in sent] == [None, True, False]


REFUSAL = {"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": "m"}}
MODEL = {"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": "Validation error: m"}}


@pytest.mark.parametrize(
    ("refusal", "version", "code", "message"),
    [
        (REFUSAL, "", -1, "m"),
        (REFUSAL, "2026-07-28", -1, "m"),
        (MODEL, "2026-07-28", -32600, NOT_ONE_MESSAGE),
        (MODEL, "", -32600, NOT_ONE_MESSAGE),
        (MODEL, "x" * 101, -32022, f'unsupported protocol version "{"x" * 100}"; supported'),
        (REFUSAL, "1999-01-01", -32022, 'unsupported protocol version "1999-01-01"; supported'),
    ],
)
async def test_a_refusal_is_reworded_where_the_library_has_no_sentence(
    refusal: dict[str, Any], version: str, code: int, message: str
) -> None:
    body = json.dumps(refusal).encode()
    _, (start, end) = await passed_on(400, body[:10], body[10:], version=version)
    error = json.loads(end["body"])["error"]
    assert (error["code"], error["message"][: len(message)]) == (code, message)
    assert error.get("data", {}).get("requested", version)[:100] == version[:100]
    assert dict(start["headers"])[b"content-length"] == str(len(end["body"])).encode()


@pytest.mark.parametrize("body", [b"no JSON", b"[]", b'{"error": 5}', b'{"error": {}}', b"{}"])
async def test_a_refusal_in_another_form_is_left_as_it_is(body: bytes) -> None:
    _, (_, end) = await passed_on(400, body, version="1999-01-01")
    assert end["body"] == body
