"""Completion of the arguments of resources and prompts."""

from __future__ import annotations

import msgspec
from fastmcp import FastMCP
from fastmcp.server.completions import MAX_COMPLETION_VALUES, CompletionReference
from mcp_types import Completion, CompletionArgument, CompletionContext
from msgspec import Struct

from supervisor_mcp.mcp.resources import as_protocol_error
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.kinds import KindQuery, list_kinds
from supervisor_mcp.operations.servers import ServerListQuery, list_servers

WINDOWS = ("1h", "24h", "7d", "30d", "90d")


class _Kind(Struct):
    kind: str


class _Page(Struct):
    items: list[_Kind]
    next_cursor: str | None


class _Server(Struct):
    name: str


class _Servers(Struct):
    items: list[_Server]
    next_cursor: str | None


def register(server: FastMCP, context: Context, clock: Clock) -> None:
    """Complete arguments by their names, which mean the same everywhere."""

    @server.completion
    async def complete(
        _reference: CompletionReference,
        argument: CompletionArgument,
        _given: CompletionContext | None,
    ) -> Completion | None:
        async with as_protocol_error("completion"):
            if argument.name == "kind":
                return await _kinds(context, argument.value)
            if argument.name == "name":
                return await _servers(context, clock, argument.value)
            if argument.name == "window":
                return Completion(
                    values=[each for each in WINDOWS if each.startswith(argument.value)]
                )
            return None


async def _kinds(context: Context, prefix: str) -> Completion:
    query = KindQuery.read({"prefix": prefix, "limit": MAX_COMPLETION_VALUES})
    page = msgspec.json.decode(await list_kinds(context, query), type=_Page)
    return Completion(
        values=[item.kind for item in page.items], has_more=page.next_cursor is not None
    )


async def _servers(context: Context, clock: Clock, part: str) -> Completion:
    """Names with a part that was typed: people know the end of a name rather than its beginning."""
    query = ServerListQuery.read({"q": part or None, "limit": MAX_COMPLETION_VALUES})
    page = msgspec.json.decode(await list_servers(context, query, clock()), type=_Servers)
    return Completion(
        values=[item.name for item in page.items], has_more=page.next_cursor is not None
    )
