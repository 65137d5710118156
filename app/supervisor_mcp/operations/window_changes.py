"""What changed most in a window, by its own usual variation."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from supervisor_mcp.cache.changes import EVERY_KIND
from supervisor_mcp.operations import text_rules
from supervisor_mcp.operations.arguments import Window
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.kpis import Span
from supervisor_mcp.operations.query import Query


class ChangesQuery(Query, frozen=True):
    """Over which window to look, and at which kinds."""

    window: Window
    kind: Annotated[
        str | None,
        Meta(
            description="Only this kind, by its exact name.",
            extra_json_schema=text_rules.METRIC_NAME,
        ),
    ] = None
    limit: (
        Annotated[
            int,
            Meta(
                description="At most.",
                extra_json_schema={"minimum": 1, "maximum": 100, "default": 10},
            ),
        ]
        | None
    ) = None


class Usual(Struct):
    """The median and the median absolute deviation of so many windows before."""

    median: float | None
    mad: float | None
    windows: int


class WholeChange(Struct):
    """A statistic of a whole kind."""

    value: float | None
    previous: float | None
    change: float | None


class GroupContribution(Struct):
    """A group of a kind, and what it has added to the change of the whole."""

    group: dict[str, str]
    value: float | None
    previous: float | None
    contribution: float | None


class WindowChange(Struct):
    """A statistic of a kind, in the group that is furthest from usual; {} is the whole kind."""

    kind: str
    type: str
    unit: str | None
    statistic: Literal["count", "sum", "avg", "increase"]
    group: dict[str, str]
    value: float | None
    previous: float | None
    change: float | None
    usual: Usual
    score: Annotated[
        float, Meta(description="Distance from the median in units of the usual variation.")
    ]
    whole: WholeChange
    contributions: Annotated[
        list[GroupContribution],
        Meta(description="The sources, then the labels, that moved the whole most."),
    ]


class WindowChanges(Struct):
    """What changed, most first."""

    window: str
    from_: str = field(name="from")
    to: str
    previous: Span
    items: list[WindowChange]
    computed_at: str


async def query_changes(context: Context, query: ChangesQuery, now: datetime) -> bytes:
    """`WindowChanges` as JSON. Raises `Problem`."""
    arguments = {**query.arguments(), "now": now}
    kind = query.kind or EVERY_KIND
    return await context.reads.read_kind_json("query_changes", arguments, kind)
