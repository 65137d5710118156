"""Maintenance: time in which servers are not expected to work."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from supervisor_mcp.operations import text_rules
from supervisor_mcp.operations.arguments import Cursor, Limit, Timestamp
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.outcome import known_outcome
from supervisor_mcp.operations.query import Query


class MaintenancePlan(Query, frozen=True):
    """A maintenance window."""

    id: Annotated[
        str,
        Meta(
            description="Your name for the window; the same one again changes it.",
            extra_json_schema=text_rules.IDENTIFIER,
        ),
    ]
    author: Annotated[
        str, Meta(description="Send who plans the window.", extra_json_schema=text_rules.OWNER)
    ]
    reason: Annotated[
        str,
        Meta(
            description="Send why the servers are in maintenance.",
            extra_json_schema={"minLength": 1, "maxLength": 1000},
        ),
    ]
    servers: Annotated[
        list[str] | None,
        Meta(
            description="Names of the servers; a window that exists keeps its own if left out.",
            extra_json_schema={"minItems": 1, "maxItems": 1000},
        ),
    ] = None
    from_: Annotated[
        Timestamp | None,
        Meta(description="Start; as before, or now, if left out. May be in the past."),
    ] = field(default=None, name="from")
    to: Annotated[Timestamp | None, Meta(description="End.")] = None
    cancelled: Annotated[
        bool | None,
        Meta(description="true cancels the window; servers, from and to are not needed then."),
    ] = None


class MaintenanceQuery(Query, frozen=True):
    """Which maintenance windows to list."""

    name: Annotated[
        str | None,
        Meta(description="Only windows of this server.", extra_json_schema=text_rules.SERVER_NAME),
    ] = None
    from_: Annotated[
        Timestamp | None, Meta(description="Only windows that end later; now if left out.")
    ] = field(default=None, name="from")
    to: Annotated[Timestamp | None, Meta(description="Only windows that start earlier.")] = None
    limit: Limit = None
    cursor: Cursor = None


class Maintenance(Struct):
    """A maintenance window."""

    id: str
    status: Literal["planned", "active", "past", "cancelled"]
    servers: list[str]
    from_: str = field(name="from")
    to: str
    author: str
    reason: str


class PlannedMaintenance(Maintenance):
    """The window as it is now; restated counts the servers whose past figures have changed."""

    cancelled_by: Annotated[
        str | None, Meta(description="Who cancelled it; null where nobody did.")
    ]
    cancelled_reason: str | None
    changed: bool
    restated: int


class MaintenancePage(Struct):
    """Maintenance windows by start; next_cursor is null on the last page."""

    items: list[Maintenance]
    next_cursor: str | None


async def plan_maintenance(context: Context, plan: MaintenancePlan, now: datetime) -> bytes:
    """A `PlannedMaintenance` as JSON; it is committed. Raises `Problem`."""
    arguments = {**plan.arguments(), "now": now}
    with known_outcome("the window is planned"):
        return await context.database.write_json("plan_maintenance", arguments)


async def list_maintenance(context: Context, query: MaintenanceQuery, now: datetime) -> bytes:
    """A `MaintenancePage` as JSON. Raises `Problem`."""
    return await context.reads.read_json("list_maintenance", {**query.arguments(), "now": now})
