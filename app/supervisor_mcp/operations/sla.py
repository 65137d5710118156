"""SLA: uptime, outages and error budget of servers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, field

from supervisor_mcp.operations import text_rules
from supervisor_mcp.operations.arguments import Cursor, From, Limit, Timestamp, To
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.query import Query


class SlaQuery(Query, frozen=True):
    """Which servers, and over which time."""

    window: Annotated[
        str | None,
        Meta(
            description="How far back from now, with h (hours) or d (days); 30d if left out."
            " Or from and to.",
            extra_json_schema={**text_rules.WINDOW, "examples": ["7d", "30d", "90d"]},
        ),
    ] = None
    from_: From = field(default=None, name="from")
    to: To = None
    name: Annotated[
        str | None,
        Meta(
            description="Only this server, with its days and restatements.",
            extra_json_schema=text_rules.SERVER_NAME,
        ),
    ] = None
    timezone: Annotated[
        str | None,
        Meta(
            description="Time zone of the days, such as Europe/Berlin; UTC if left out.",
            extra_json_schema={"maxLength": 100},
        ),
    ] = None
    as_of: Annotated[
        Timestamp | None,
        Meta(description="Answer as at that time, before later maintenance was entered."),
    ] = None
    limit: Limit = None
    cursor: Cursor = None


class Seconds(Struct):
    """Seconds by status."""

    up: float
    degraded: float
    down: float
    unknown: float
    maintenance: float


class Outages(Struct):
    """Unbroken times of down; the mean is of those after which the server was up or degraded."""

    count: int
    longest_seconds: float | None
    mean_seconds_to_recover: float | None


class ErrorBudget(Struct):
    """How long the server may be down, by its target, in the time whose status is known."""

    total_seconds: float
    used_seconds: float
    left_seconds: float
    left_percent: float | None


class Day(Struct):
    """A day of the time zone."""

    day: str
    seconds: Seconds
    uptime_percent: float | None


class Figures(Struct):
    """SLA of a window."""

    uptime_percent: float | None
    coverage_percent: float | None
    seconds: Seconds


class Restatement(Struct):
    """A change of the SLA of a time that had passed; figures by window: 7d, 30d, 90d."""

    maintenance: str
    from_: str = field(name="from")
    to: str
    author: str
    reason: str
    restated_at: str
    before: dict[str, Figures]
    after: dict[str, Figures]


class ServerSla(Struct):
    """The SLA of a server while it was registered; seconds add up to its from and to."""

    name: str
    from_: str | None = field(name="from")
    to: str | None
    seconds: Seconds
    uptime_percent: float | None
    coverage_percent: float | None
    outages: Outages
    target_percent: float
    error_budget: ErrorBudget
    days: list[Day] | UnsetType = UNSET
    restatements: list[Restatement] | UnsetType = UNSET


class SlaPage(Struct):
    """The SLA of servers by name; next_cursor is null on the last page."""

    window: str | None
    from_: str = field(name="from")
    to: str
    as_of: str
    timezone: str
    items: list[ServerSla]
    next_cursor: str | None


async def query_sla(context: Context, query: SlaQuery, now: datetime) -> bytes:
    """A `SlaPage` as JSON. Raises `Problem`."""
    return await context.reads.read_json("query_sla", {**query.arguments(), "now": now})
