"""KPIs: sums, or quotients of two sums, that are compared with targets, in versions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from supervisor_mcp.json_text import Json
from supervisor_mcp.operations import text_rules
from supervisor_mcp.operations.arguments import Cursor, Limit, Window
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.documents import SCHEMAS
from supervisor_mcp.operations.json_validation import check_document
from supervisor_mcp.operations.outcome import known_outcome
from supervisor_mcp.operations.query import Query
from supervisor_mcp.operations.versions import Version

DOCUMENT = SCHEMAS["kpi"]
KpiName = Annotated[
    str, Meta(description="Name of the KPI.", extra_json_schema=text_rules.IDENTIFIER)
]


class KpiDefinition(Query, frozen=True):
    """Which KPI to define."""

    name: KpiName


class KpiDeletion(Query, frozen=True):
    """Which KPI to delete."""

    name: KpiName
    author: Annotated[
        str, Meta(description="Send who deletes the KPI.", extra_json_schema=text_rules.OWNER)
    ]


class DeletedKpi(Struct):
    """A KPI that does not exist any more."""

    name: str
    deleted_at: str
    deleted_by: str


class KpiListQuery(Query, frozen=True):
    """Which KPIs to list, or which one to show."""

    name: Annotated[
        str | None,
        Meta(
            description="Show this KPI, also a deleted one, with its versions.",
            extra_json_schema=text_rules.IDENTIFIER,
        ),
    ] = None
    limit: Limit = None
    cursor: Cursor = None


class ListedKpi(Struct):
    """A KPI in a list."""

    name: str
    version: int
    author: str
    defined_at: Annotated[str, Meta(description="When this version was defined.")]
    document: Annotated[dict[str, Any], Meta(description="What it says, with its defaults.")]


class Kpi(ListedKpi):
    """A KPI with its versions, the newest first; next_cursor is null on their last page."""

    deleted_at: str | None
    deleted_by: str | None
    versions: list[Version]
    next_cursor: str | None


class KpiPage(Struct):
    """KPIs by name; next_cursor is null on the last page."""

    items: list[ListedKpi]
    next_cursor: str | None


class KpisQuery(Query, frozen=True):
    """Which KPIs, and over which window."""

    window: Window
    name: Annotated[
        str | None,
        Meta(
            description="Only this KPI, with its days and all sources.",
            extra_json_schema=text_rules.IDENTIFIER,
        ),
    ] = None


class Span(Struct):
    """A range of time."""

    from_: str = field(name="from")
    to: str


class KpiFigures(Struct):
    """A KPI: its value, in its unit, and the two sums that it is computed from."""

    value: float | None
    numerator: float | None
    denominator: float | None


class KpiDay(KpiFigures):
    """A KPI on a day, UTC."""

    day: str


class KpiContribution(KpiFigures):
    """A source of a KPI, its value before, and what it has added to the change."""

    source: str
    previous: float | None
    contribution: float | None


class MeasuredKpi(KpiFigures):
    """A KPI over a window, beside the window before and the target."""

    name: str
    version: int
    description: str | None
    unit: str | None
    previous: KpiFigures
    change: Annotated[float | None, Meta(description="value less that before.")]
    target: float | None
    direction: Annotated[Literal["up", "down"], Meta(description="Which way is better.")]
    status: Literal["met", "missed", "no_target", "no_data"]
    contributions: Annotated[
        list[KpiContribution], Meta(description="The sources that moved it, most first.")
    ]
    days: list[KpiDay] | UnsetType = UNSET


class MeasuredKpis(Struct):
    """KPIs over a window, by name."""

    window: str
    from_: str = field(name="from")
    to: str
    previous: Span
    items: list[MeasuredKpi]
    computed_at: str


async def define_kpi(
    context: Context, query: KpiDefinition, document: bytes, now: datetime
) -> bytes:
    """A `Defined` as JSON; it is committed. Raises `Problem`."""
    await check_document(document)
    arguments = {**query.arguments(), "document": Json(document), "now": now}
    with known_outcome("the KPI is defined"):
        return await context.database.write_json("define_kpi", arguments)


async def delete_kpi(context: Context, query: KpiDeletion, now: datetime) -> bytes:
    """A `DeletedKpi` as JSON; it is committed. Raises `Problem`."""
    arguments = {**query.arguments(), "now": now}
    with known_outcome("the KPI is deleted"):
        return await context.database.write_json("delete_kpi", arguments)


async def list_kpis(context: Context, query: KpiListQuery, now: datetime) -> bytes:
    """A `KpiPage` as JSON, or a `Kpi` where one is named. Raises `Problem`."""
    return await context.reads.read_json("list_kpis", {**query.arguments(), "now": now})


async def query_kpis(context: Context, query: KpisQuery, now: datetime) -> bytes:
    """`MeasuredKpis` as JSON. Raises `Problem`."""
    return await context.reads.read_json("query_kpis", {**query.arguments(), "now": now})
