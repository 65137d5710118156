"""The service with a given number of tools, one of them empty."""

from __future__ import annotations

from msgspec import Struct

from supervisor_mcp import config
from supervisor_mcp.mcp.http import PATH, create_http_app
from supervisor_mcp.mcp.server import create_mcp
from supervisor_mcp.mcp.tool import OperationTool
from supervisor_mcp.mcp.tools import all_tools
from supervisor_mcp.operations import context as operations
from supervisor_mcp.operations.clock import now
from supervisor_mcp.operations.query import Query
from supervisor_mcp.server.asgi import Application
from supervisor_mcp.server.guard import Guard


def create(count: int) -> Application:
    """The application with `count` tools: `empty`, `query_agg`, others, and copies of them."""
    context = operations.build(config.load())
    server = create_mcp(context)
    tools = sorted(all_tools(context, now), key=lambda tool: tool.name != "query_agg")
    server.add_tool(OperationTool.asking(empty, NoQuery, Nothing))
    for tool in tools[count - 1 :]:
        server.local_provider.remove_tool(tool.name)
    for number in range(count - 1 - len(tools)):
        original = tools[number % len(tools)]
        server.add_tool(original.model_copy(update={"name": f"{original.name}_{number}"}))
    return Application(context, {PATH: create_http_app(server)}, Guard(None, None), access_log=None)


class NoQuery(Query, frozen=True):
    """A call without arguments."""


class Nothing(Struct):
    """An answer without members."""


async def empty(_query: NoQuery) -> bytes:
    """A call that does nothing."""
    return b"{}"
