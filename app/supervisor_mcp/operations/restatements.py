"""Restatements: hours that were rolled up again, from what to what, and why."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from supervisor_mcp.operations.arguments import Cursor, From, Limit, To
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.query import Query


class RestatementQuery(Query, frozen=True):
    """Which restatements to list."""

    kind: Annotated[
        str | None,
        Meta(description="Exact name of a metric or fact kind; every kind if left out."),
    ] = None
    from_: From = field(default=None, name="from")
    to: To = None
    limit: Limit = None
    cursor: Cursor = None


class RolledUp(Struct):
    """What was rolled up of the hours; null where there was no value."""

    count: int
    sum: float | None
    min: float | None
    max: float | None


class Restatement(Struct):
    """Hours of a kind that were rolled up again; noted_at is when their late samples began."""

    kind: str
    from_: str = field(name="from")
    to: str
    reason: Literal["late_samples", "changed_samples"]
    late_samples: int
    noted_at: str
    restated_at: str
    before: RolledUp
    after: RolledUp


class RestatementPage(Struct):
    """Restatements, the newest first; next_cursor is null on the last page."""

    items: list[Restatement]
    next_cursor: str | None


async def list_restatements(context: Context, query: RestatementQuery) -> bytes:
    """A `RestatementPage` as JSON. Raises `Problem`."""
    return await context.reads.read_json("list_restatements", query.arguments())
