"""Health of servers: reports, and what became of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from supervisor_mcp.json_text import Json
from supervisor_mcp.operations import text_rules
from supervisor_mcp.operations.arguments import Cursor, Limit
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.ingest import IngestOptions
from supervisor_mcp.operations.items import ItemTimestamp
from supervisor_mcp.operations.json_validation import check_document
from supervisor_mcp.operations.outcome import known_outcome
from supervisor_mcp.operations.query import Query
from supervisor_mcp.operations.servers import ServerName

REPORTS_AGAIN = (
    "Send the request again. That is safe with the same Idempotency-Key, or where every report has"
    " a ts: one that is stored already counts as duplicate."
)

Observed = Literal["up", "degraded", "down"]
Known = Literal["unknown", "up", "degraded", "down"]
Overall = Literal["up", "degraded", "down", "unknown", "maintenance"]


class ReportItem(Struct, forbid_unknown_fields=True):
    """What somebody observed of a server, as it is sent."""

    server: ServerName
    status: Annotated[Observed, Meta(description="What was observed.")]
    ts: ItemTimestamp = UNSET
    latency_ms: (
        Annotated[
            float,
            Meta(
                description="Response time, in milliseconds.",
                extra_json_schema={"minimum": 0, "maximum": 1e9},
            ),
        ]
        | UnsetType
        | None
    ) = UNSET
    detail: (
        Annotated[str, Meta(min_length=1, max_length=1000, description="Why.")] | UnsetType | None
    ) = UNSET
    reporter: (
        Annotated[
            str,
            Meta(description="Who observed it.", extra_json_schema=text_rules.OWNER),
        ]
        | UnsetType
        | None
    ) = UNSET


class HealthQuery(Query, frozen=True):
    """Whose health to return."""

    name: ServerName


class HealthListQuery(Query, frozen=True):
    """Whose health to list."""

    status: Annotated[Overall | None, Meta(description="Only servers with this status.")] = None
    tag: Annotated[
        str | None,
        Meta(description="Only servers with this tag."),
    ] = None
    limit: Limit = None
    cursor: Cursor = None


class Signal(Struct):
    """What one signal says of a server."""

    signal: Literal["keepalive", "probe", "traffic", "report"]
    status: Known
    since: str
    last_at: str | None
    expires_at: str | None
    last_status: Observed | None
    streak: int
    latency_ms: float | None
    detail: str | None


class Window(Struct):
    """A maintenance window."""

    id: str
    from_: str = field(name="from")
    to: str
    author: str
    reason: str


class Windows(Struct):
    """The maintenance window of now, and the next one."""

    now: Window | None
    next: Window | None


class Outage(Struct):
    """An unbroken time in which a server was down."""

    from_: str = field(name="from")
    to: str | None
    seconds: float
    reasons: list[str]


class Health(Struct):
    """The health of a server, with all that it follows from."""

    server: str
    status: Overall
    since: str
    signals: list[Signal]
    disagree: bool
    disagreement: str | None
    maintenance: Windows
    outages: list[Outage]
    computed_at: str


class HealthItem(Struct):
    """The health of a server in short."""

    server: str
    status: Overall
    since: str
    keepalive: Known
    probe: Known
    traffic: Known
    report: Known
    disagreement: str | None


class HealthPage(Struct):
    """Health of servers by name; next_cursor is null on the last page."""

    items: list[HealthItem]
    next_cursor: str | None


async def report_health(
    context: Context, document: bytes, options: IngestOptions, now: datetime
) -> bytes:
    """Store one report or an array of them; the `Receipt` as JSON. Raises `Problem`."""
    await check_document(document)
    arguments = {"body": Json(document), **options.arguments(), "now": now}
    with known_outcome("the reports are stored", REPORTS_AGAIN):
        return await context.database.write_json("report_health", arguments)


async def get_health(context: Context, query: HealthQuery, now: datetime) -> bytes:
    """A `Health` as JSON. Raises `Problem`."""
    return await context.reads.read_json("get_health", {**query.arguments(), "now": now})


async def list_health(context: Context, query: HealthListQuery, now: datetime) -> bytes:
    """A `HealthPage` as JSON. Raises `Problem`."""
    return await context.reads.read_json("list_health", {**query.arguments(), "now": now})
