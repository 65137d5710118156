"""Streamable HTTP: the ASGI application at `/mcp`."""

from __future__ import annotations

import httpx
from fastmcp import FastMCP
from starlette.applications import Starlette
from starlette.middleware import Middleware

from supervisor_mcp.mcp.envelope import Envelope

PATH = "/mcp"

# A call of the older era builds models that take 0.3 s once; newer calls share most of them.
FIRST_CALL = {"jsonrpc": "2.0", "id": 0, "method": "tools/list"}
ACCEPTED = {"Accept": "application/json, text/event-stream"}


def create_http_app(server: FastMCP) -> Starlette:
    """The application; any worker answers any request."""
    return server.http_app(
        path=PATH,
        stateless_http=True,
        # Progress is reported before the answer, for which one JSON body has no place.
        json_response=False,
        # The middleware guards REST and MCP by one rule.
        host_origin_protection=False,
        middleware=[Middleware(Envelope)],
    )


async def warm_up(server: FastMCP) -> None:
    """Have a call build what calls share in a process and in those that it forks."""
    app = create_http_app(server)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http,
    ):
        answer = await http.post(PATH, json=FIRST_CALL, headers=ACCEPTED)
    answer.raise_for_status()
