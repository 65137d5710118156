"""The composition of the MCP server."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

import mcp_types
from fastmcp import FastMCP
from fastmcp.exceptions import NotFoundError
from fastmcp.server.auth import AuthProvider
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from fastmcp.tools.base import Tool, ToolResult

from supervisor_mcp import identity
from supervisor_mcp.errors import Problem
from supervisor_mcp.mcp import completions, prompts, resources, updates
from supervisor_mcp.mcp.problems import current_request_id, failed
from supervisor_mcp.mcp.tool import OperationTool
from supervisor_mcp.mcp.tools import all_tools
from supervisor_mcp.operations.arguments import known_names
from supervisor_mcp.operations.clock import Clock, now
from supervisor_mcp.operations.context import Context

INSTRUCTIONS = """\
Supervisor stores metrics and facts of an ecosystem of MCP servers and agents, aggregates them, and
keeps a registry of the servers.

A metric is a technical number over time (gauge, counter or histogram); a fact is a business event
of a kind Fact:<Name>. A kind is a metric name or a fact kind; a source is the MCP server or agent
that sent it; a window is a time span up to now: 1h, 24h, 7d, 30d, 90d.

A server is an MCP server of the registry: what it offers, its versions, its health.

Call list_kinds first for the exact names, and list_servers for those of servers. Answer questions
about numbers with query_agg; read single events with query_facts and the course over time with
query_metrics. Store with ingest_fact and ingest_metric, or with ingest_facts and ingest_metrics for
batches.

An error is a JSON object: detail says what is wrong, hint what to do next, params where.
"""


class _OwnTools(Middleware):
    """Lists the tools that the sender may call."""

    async def on_list_tools(
        self,
        context: MiddlewareContext[mcp_types.ListToolsRequest],
        call_next: CallNext[mcp_types.ListToolsRequest, Sequence[Tool]],
    ) -> Sequence[Tool]:
        """List the tools whose scope the sender has."""
        sender = identity.current.get()
        tools = await call_next(context)
        return [
            tool for tool in tools if not isinstance(tool, OperationTool) or sender.may(tool.scope)
        ]


class _UnknownTools(Middleware):
    """Turns the call of an unknown tool into a problem."""

    async def on_call_tool(
        self,
        context: MiddlewareContext[mcp_types.CallToolRequestParams],
        call_next: CallNext[mcp_types.CallToolRequestParams, ToolResult],
    ) -> ToolResult:
        """Answer with the names of the tools."""
        try:
            return await call_next(context)
        except NotFoundError:
            assert context.fastmcp_context is not None  # noqa: S101
            name = context.message.name
            known = sorted(t.name for t in await context.fastmcp_context.fastmcp.list_tools())
            problem = Problem(
                "tool_unknown",
                f'unknown tool "{name[:100]}"',
                hint=known_names(name, known, "tool"),
                params={"known": known},
            )
            return failed(problem, current_request_id())


def create_mcp(context: Context, clock: Clock = now, auth: AuthProvider | None = None) -> FastMCP:
    """The server; `context` has to be connected before the first call."""
    server: FastMCP = FastMCP(
        "supervisor",
        INSTRUCTIONS,
        version=_version(),
        auth=auth,
        middleware=[_UnknownTools(), _OwnTools(), prompts.CheckedArguments()],
        on_duplicate="error",
        mask_error_details=True,
        strict_input_validation=True,
        # Answers repeat shapes; a reference takes a tenth of the tokens.
        dereference_schemas=False,
    )
    for tool in all_tools(context, clock):
        server.add_tool(tool)
    resources.register(server, context, clock)
    prompts.register(server)
    completions.register(server, context, clock)
    updates.register(server, context)
    # Without this the library lists all tools before every call, to find in the schema of one which
    # arguments have to be in a header, too.
    server._mcp_server.get_tool_input_schema = _no_headers
    # On import the library gives its logger a handler of its own; the process has one.
    library = logging.getLogger("fastmcp")
    library.handlers = []
    library.propagate = True
    library.setLevel(logging.WARNING)
    # A failure is logged once, with its request_id, where it becomes a problem.
    logging.getLogger("fastmcp.server.server").setLevel(logging.CRITICAL)
    return server


def _no_headers(_tool: str) -> None:
    """The schema of a tool that declares headers for its arguments: none does."""


def _version() -> str:
    try:
        return version("supervisor-mcp")
    except PackageNotFoundError:
        return "0"
