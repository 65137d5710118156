"""Silences: time in which alerts with certain labels notify nobody."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from supervisor_mcp.operations import text_rules
from supervisor_mcp.operations.alerts import Hint
from supervisor_mcp.operations.arguments import Cursor, Limit, Timestamp
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.documents import SCHEMAS
from supervisor_mcp.operations.outcome import known_outcome
from supervisor_mcp.operations.query import Query
from supervisor_mcp.operations.versions import Change


class SilenceRequest(Query, frozen=True):
    """A silence."""

    id: Annotated[
        str,
        Meta(
            description="Your name for the silence; the same one again changes it.",
            extra_json_schema=text_rules.IDENTIFIER,
        ),
    ]
    author: Annotated[str, Meta(description="Who silences.", extra_json_schema=text_rules.OWNER)]
    comment: Annotated[
        str | None,
        Meta(
            description="Why; only cancelled may leave it out.",
            extra_json_schema={"minLength": 1, "maxLength": 1000},
        ),
    ] = None
    matchers: Annotated[
        list[dict[str, Any]] | None,
        Meta(
            description="What labels must match, all of it: {name, operator, value}; operators are"
            " =, !=, =~, !~. Kept if left out.",
            extra_json_schema=SCHEMAS["matchers"],
        ),
    ] = None
    from_: Annotated[
        Timestamp | None, Meta(description="Start; as before, or now, if left out.")
    ] = field(default=None, name="from")
    to: Annotated[Timestamp | None, Meta(description="End.")] = None
    cancelled: Annotated[
        bool | None,
        Meta(description="true ends it now; matchers, from and to are not needed then."),
    ] = None


class SilenceQuery(Query, frozen=True):
    """Which silences to list."""

    from_: Annotated[
        Timestamp | None, Meta(description="Only silences that end later; now if left out.")
    ] = field(default=None, name="from")
    limit: Limit = None
    cursor: Cursor = None


class Matcher(Struct):
    """A condition of a label."""

    name: str
    operator: Literal["=", "!=", "=~", "!~"]
    value: str


class Silence(Struct):
    """A silence."""

    id: str
    status: Literal["planned", "active", "past", "cancelled"]
    matchers: list[Matcher]
    from_: str = field(name="from")
    to: str
    author: str
    comment: str
    updated_at: str


class SilenceVersion(Struct):
    """Who created, changed or cancelled a silence, when and why."""

    version: int
    author: str
    comment: str
    at: str
    changes: Annotated[list[Change], Meta(description="Differences to the version before.")]


class ListedSilence(Silence):
    """A silence with its newest 20 versions, the newest first."""

    versions: list[SilenceVersion]


class SilencedAlerts(Silence):
    """The silence as it is now; alerts counts the active ones that match."""

    changed: bool
    alerts: int
    hint: Hint


class SilencePage(Struct):
    """Silences by start; next_cursor is null on the last page."""

    items: list[ListedSilence]
    next_cursor: str | None


async def silence_alerts(context: Context, request: SilenceRequest, now: datetime) -> bytes:
    """A `SilencedAlerts` as JSON; it is committed. Raises `Problem`."""
    arguments = {**request.arguments(), "now": now}
    with known_outcome("the silence is stored"):
        return await context.database.write_json("silence_alerts", arguments)


async def list_silences(context: Context, query: SilenceQuery, now: datetime) -> bytes:
    """A `SilencePage` as JSON. Raises `Problem`."""
    return await context.reads.read_json("list_silences", {**query.arguments(), "now": now})
