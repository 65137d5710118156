"""Facts: business events, each stored once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType, field

from supervisor_mcp.cache.changes import EVERY_KIND
from supervisor_mcp.operations import text_rules
from supervisor_mcp.operations.arguments import Cursor, From, LastEventId, Limit, Source, To
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.ingest import IngestOptions, ingest
from supervisor_mcp.operations.items import VALUE_RANGE, ItemSource, ItemTimestamp
from supervisor_mcp.operations.query import Query
from supervisor_mcp.operations.streams import Messages


class FactItem(Struct, forbid_unknown_fields=True):
    """A business event as it is sent."""

    kind: Annotated[
        str,
        Meta(
            extra_json_schema=text_rules.FACT_KIND,
            description="Fact: and the name of the event, the same for all sources: Fact:Sale.",
        ),
    ]
    source: ItemSource
    fact_id: (
        Annotated[
            str,
            Meta(
                extra_json_schema=text_rules.FACT_ID,
                description="The source's name for this event, such as an order number: a second"
                " fact with the same name is a duplicate.",
            ),
        ]
        | UnsetType
        | None
    ) = UNSET
    subject: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=500,
                description="What the event is about, such as a customer.",
            ),
        ]
        | UnsetType
        | None
    ) = UNSET
    ts: ItemTimestamp = UNSET
    value: (
        Annotated[
            float,
            Meta(
                description="The number to add up, such as an amount of money; leave it out where"
                " only the event counts.",
                extra_json_schema=VALUE_RANGE,
            ),
        ]
        | UnsetType
        | None
    ) = UNSET
    payload: (
        Annotated[
            dict[str, Any],
            Meta(description="Anything else to keep, at most 64 KiB; not aggregated."),
        ]
        | UnsetType
        | None
    ) = UNSET


class FactQuery(Query, frozen=True):
    """Which facts to return."""

    kind: Annotated[str | None, Meta(description="Only this kind, such as Fact:Sale.")] = None
    source: Source = None
    subject: Annotated[
        str | None, Meta(description="Only facts about this subject. Exact text.")
    ] = None
    from_: From = field(default=None, name="from")
    to: To = None
    limit: Limit = None
    cursor: Cursor = None


class FactStreamQuery(Query, frozen=True):
    """Which facts to send as they are stored."""

    kind: Annotated[
        str | None,
        Meta(
            description="Only this kind, such as Fact:Sale. It may be new.",
            extra_json_schema=text_rules.FACT_KIND,
        ),
    ] = None
    source: Source = None
    subject: Annotated[
        str | None, Meta(description="Only facts about this subject. Exact text.")
    ] = None
    last_event_id: LastEventId = None


class Fact(Struct):
    """A business event as it is kept."""

    kind: str
    source: str
    fact_id: str
    subject: str | None
    ts: str
    value: float | None
    payload: dict[str, Any]
    received_at: str


class FactPage(Struct):
    """Facts, newest first; next_cursor is null on the last page."""

    items: list[Fact]
    next_cursor: str | None
    hint: Annotated[
        str | UnsetType, Meta(description="What to ask instead; only where there are no facts.")
    ] = UNSET


async def ingest_facts(
    context: Context, document: bytes, options: IngestOptions, now: datetime
) -> bytes:
    """Store one fact item or an array of them; the `Receipt` as JSON. Raises `Problem`."""
    return await ingest(context, "ingest_facts", document, options, now)


async def query_facts(context: Context, query: FactQuery, now: datetime) -> bytes:
    """A `FactPage` as JSON. Raises `Problem`."""
    arguments = {**query.arguments(), "now": now}
    return await context.reads.read_kind_json("query_facts", arguments, query.kind or EVERY_KIND)


async def stream_facts(context: Context, query: FactStreamQuery) -> Messages:
    """Facts as they are stored, each as JSON. Raises `Problem`."""
    arguments = query.arguments()
    about = {name: arguments[name] for name in ("kind", "source", "subject")}
    wanted = {name: value for name, value in about.items() if value is not None}
    return await context.streams.facts.open(arguments, wanted)
