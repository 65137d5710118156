"""The service with a given number of tools, one of them empty."""

from __future__ import annotations

from msgspec import Struct

from app import config
from app.asgi import Application
from app.mcp.http import PATH, create_http_app
from app.mcp.operation_tool import OperationTool
from app.mcp.server import create_mcp
from app.mcp.tools import all_tools
from app.operations import context as operations
from app.operations.clock import now


def create(count: int) -> Application:
    """The application with `count` tools: `empty`, `query_agg`, others, and copies of them."""
    context = operations.build(config.load())
    server = create_mcp(context)
    tools = sorted(all_tools(context, now), key=lambda tool: tool.name != "query_agg")
    server.add_tool(OperationTool.reading(empty, "Nothing", Nothing))
    for tool in tools[count - 1 :]:
        server.local_provider.remove_tool(tool.name)
    for number in range(count - 1 - len(tools)):
        original = tools[number % len(tools)]
        server.add_tool(original.model_copy(update={"name": f"{original.name}_{number}"}))
    return Application(context, {PATH: create_http_app(server)}, access_log=False)


class Nothing(Struct):
    """An answer without members."""


async def empty() -> bytes:
    """What a call costs that asks nothing."""
    return b"{}"
