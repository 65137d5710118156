"""Frozen snapshots: all kinds over a window, kept under a name and cited by a hash."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct, field

from supervisor_mcp.operations import text_rules
from supervisor_mcp.operations.arguments import Cursor, Limit, Window
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.outcome import known_outcome
from supervisor_mcp.operations.query import Query

# The same name again is refused, also for the same snapshot.
AGAIN = (
    "Ask for it with get_snapshot (GET /query/snapshots/{name}); if it is unknown, send the request"
    " again."
)


class SnapshotRequest(Query, frozen=True):
    """What to freeze."""

    name: Annotated[
        str,
        Meta(
            description="Your name for it; it cannot be used again.",
            extra_json_schema=text_rules.IDENTIFIER,
        ),
    ]
    window: Window
    author: Annotated[
        str, Meta(description="Send who freezes it.", extra_json_schema=text_rules.OWNER)
    ]


class SnapshotQuery(Query, frozen=True):
    """Which snapshot to read."""

    name: Annotated[
        str,
        Meta(description="Name of the snapshot.", extra_json_schema=text_rules.IDENTIFIER),
    ]


class SnapshotListQuery(Query, frozen=True):
    """Which snapshots to list."""

    limit: Limit = None
    cursor: Cursor = None


class Snapshot(Struct):
    """A snapshot without its content, of which bytes and sha256 are the length and the hash."""

    name: str
    window: str
    from_: str = field(name="from")
    to: str
    kinds: int
    bytes: int
    sha256: str
    author: str
    created_at: str


class SnapshotPage(Struct):
    """Snapshots, the newest first; next_cursor is null on the last page."""

    items: list[Snapshot]
    next_cursor: str | None


async def create_snapshot(context: Context, request: SnapshotRequest, now: datetime) -> bytes:
    """A `Snapshot` as JSON; it is committed. Raises `Problem`."""
    arguments = {**request.arguments(), "now": now}
    with known_outcome("the snapshot is created", AGAIN):
        return await context.database.write_json("create_snapshot", arguments)


async def get_snapshot(context: Context, query: SnapshotQuery) -> bytes:
    """The content, an `Aggregates` as JSON: the bytes that were hashed. Raises `Problem`."""
    return await context.reads.read_json("get_snapshot", query.arguments())


async def list_snapshots(context: Context, query: SnapshotListQuery) -> bytes:
    """A `SnapshotPage` as JSON. Raises `Problem`."""
    return await context.reads.read_json("list_snapshots", query.arguments())
