"""What is relied on inside the library: private names, and what they save."""

from __future__ import annotations

import tomllib
from importlib.metadata import version
from typing import Any

import httpx
from fastmcp import FastMCP
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from mcp.shared.inbound import X_MCP_HEADER_KEY

from supervisor_mcp.mcp.http import create_http_app
from tests.support.repository import ROOT

REVISION = "2026-07-28"


class _Listings(Middleware):
    """Counts how often all tools are listed."""

    def __init__(self) -> None:
        self.count = 0

    async def on_list_tools(
        self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]
    ) -> Any:
        self.count += 1
        return await call_next(context)


async def test_a_call_does_not_list_all_tools(server: FastMCP) -> None:
    listings = _Listings()
    server.add_middleware(listings)
    app = create_http_app(server)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http,
    ):
        listings.count = 0
        answer = await http.post("/mcp", **call("query_agg", {"window": "7d"}))
        assert answer.json()["result"]["structuredContent"]["window"] == "7d"
        assert listings.count == 0
        server._mcp_server.get_tool_input_schema = None
        await http.post("/mcp", **call("query_agg", {"window": "7d"}))
        assert listings.count == 1, "the library no longer lists tools: the lookup can go"


async def test_no_argument_of_a_tool_has_to_be_in_a_header(server: FastMCP) -> None:
    """The server says so to the library, which then compares nothing."""
    tools = await server.list_tools()
    assert [tool.name for tool in tools if X_MCP_HEADER_KEY in str(tool.parameters)] == []
    lookup = server._mcp_server.get_tool_input_schema
    assert lookup is not None
    assert lookup("query_agg") is None


def test_the_library_is_of_the_version_that_was_read() -> None:
    assert version("fastmcp").startswith("4.1.")
    assert version("mcp").startswith("2.3.")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "fastmcp>=4.1,<4.2" in project["dependencies"]


def call(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The parts of a request that calls a tool in the newest revision of the protocol."""
    namespace = "io.modelcontextprotocol"
    return {
        "headers": {
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": REVISION,
            "Mcp-Method": "tools/call",
            "Mcp-Name": name,
        },
        "json": {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {
                "name": name,
                "arguments": arguments,
                "_meta": {
                    f"{namespace}/protocolVersion": REVISION,
                    f"{namespace}/clientInfo": {"name": "test", "version": "1"},
                    f"{namespace}/clientCapabilities": {},
                },
            },
        },
    }
