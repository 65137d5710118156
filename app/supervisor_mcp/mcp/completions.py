"""Completion of the arguments of resources and prompts."""

from __future__ import annotations

import msgspec
from fastmcp import FastMCP
from fastmcp.server.completions import MAX_COMPLETION_VALUES, CompletionReference
from mcp_types import Completion, CompletionArgument, CompletionContext
from msgspec import Struct

from supervisor_mcp.mcp.resources import as_protocol_error
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.kinds import KindQuery, list_kinds

WINDOWS = ("1h", "24h", "7d", "30d", "90d")


class _Kind(Struct):
    kind: str


class _Page(Struct):
    items: list[_Kind]
    next_cursor: str | None


def register(server: FastMCP, context: Context) -> None:
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
