"""Kinds: the catalogue of metrics and facts."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from supervisor_mcp.operations.arguments import Cursor, Limit
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.query import Query

Type = Literal["gauge", "counter", "histogram", "fact"]


class KindQuery(Query, frozen=True):
    """Which kinds to list."""

    type: Annotated[Type | None, Meta(description="Only kinds of this type.")] = None
    prefix: Annotated[
        str | None,
        Meta(description="Only names with this prefix, such as Fact: or http_."),
    ] = None
    limit: Limit = None
    cursor: Cursor = None


class Kind(Struct):
    """A metric name or a fact kind."""

    kind: str
    type: Type
    unit: str | None
    sources: int
    series: int
    created_at: str


class KindPage(Struct):
    """Kinds by name; next_cursor is null on the last page."""

    items: list[Kind]
    next_cursor: str | None


async def list_kinds(context: Context, query: KindQuery) -> bytes:
    """A `KindPage` as JSON. Raises `Problem`."""
    return await context.reads.read_json("list_kinds", query.arguments())
