"""The audit: who changed what."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct, field

from supervisor_mcp.operations.arguments import Cursor, From, Limit, To
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.query import Query


class AuditQuery(Query, frozen=True):
    """Which events of the audit to list."""

    actor: Annotated[str | None, Meta(description="Only this identity.")] = None
    action: Annotated[str | None, Meta(description="insert, update or delete.")] = None
    object_type: Annotated[str | None, Meta(description="Such as alert_rule or silence.")] = None
    object_name: Annotated[str | None, Meta(description="Name or id of the object.")] = None
    from_: From = field(default=None, name="from")
    to: To = None
    limit: Limit = None
    cursor: Cursor = None


class AuditEvent(Struct):
    """Who changed what; changes has {old, new} by member, or {} where values are not recorded."""

    number: int
    at: str
    actor: str
    action: str
    object_type: str
    object_name: str
    namespace: str
    changes: dict[str, Any]


class AuditPage(Struct):
    """Events, the newest first; next_cursor is null on the last page."""

    items: list[AuditEvent]
    next_cursor: str | None


async def list_audit(context: Context, query: AuditQuery) -> bytes:
    """An `AuditPage` as JSON. Raises `Problem`."""
    return await context.reads.read_json("list_audit", query.arguments())
