"""Facts: business events, each one once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, LiteralString, Self

from msgspec import UNSET, Meta, Struct, UnsetType

from supervisor_mcp.operations import arguments
from supervisor_mcp.operations.batches import ingest
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.json_validation import check_document

INGEST: LiteralString = """
select answer, kinds
from api.ingest_facts(
    p_body => %(body)s, p_partial => %(partial)s,
    p_idempotency_key => %(idempotency_key)s, p_now => %(now)s
)
"""

QUERY: LiteralString = """
select api.query_facts(
    p_kind => %(kind)s, p_source => %(source)s, p_subject => %(subject)s,
    p_from => %(from)s, p_to => %(to)s,
    p_limit => %(limit)s, p_cursor => %(cursor)s, p_now => %(now)s
)
"""

LARGEST_PAGE = 1000


class FactItem(Struct, forbid_unknown_fields=True):
    """A business event as it is sent."""

    kind: Annotated[str, Meta(pattern=r"^Fact:[A-Za-z][A-Za-z0-9_.]{0,99}$")]
    source: Annotated[str, Meta(min_length=1, max_length=200, description="Who says so.")]
    fact_id: Annotated[str, Meta(min_length=1, max_length=200)] | UnsetType | None = UNSET
    subject: Annotated[str, Meta(min_length=1, max_length=500)] | UnsetType | None = UNSET
    ts: Annotated[
        str | float | UnsetType | None,
        Meta(description="RFC 3339 with its offset, or epoch seconds; the server's time if absent"),
    ] = UNSET
    value: float | UnsetType | None = UNSET
    payload: dict[str, Any] | UnsetType | None = UNSET


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
    """Facts, newest first; next_cursor asks for those after, null at the end."""

    items: list[Fact]
    next_cursor: str | None


async def ingest_facts(
    context: Context,
    document: bytes,
    *,
    partial: bool = False,
    idempotency_key: str | None = None,
    now: datetime,
) -> bytes:
    """Store one fact item or an array of them; the `Receipt` as JSON. Raises `Problem`."""
    await check_document(document)
    return await ingest(
        context, INGEST, document, partial=partial, idempotency_key=idempotency_key, now=now
    )


@dataclass(frozen=True, slots=True)
class FactQuery:
    """What is asked of facts; `read` makes one."""

    kind: str | None
    source: str | None
    subject: str | None
    start: datetime | None
    end: datetime | None
    limit: int | None
    cursor: str | None

    @classmethod
    def read(
        cls,
        *,
        kind: str | None = None,
        source: str | None = None,
        subject: str | None = None,
        start: str | float | None = None,
        end: str | float | None = None,
        limit: str | int | None = None,
        cursor: str | None = None,
    ) -> Self:
        """Read arguments as they were sent. Raises `Problem`."""
        return cls(
            arguments.optional("kind", kind),
            arguments.optional("source", source),
            arguments.optional("subject", subject),
            arguments.instant("from", start),
            arguments.instant("to", end),
            arguments.whole("limit", limit),
            arguments.optional("cursor", cursor),
        )


async def query_facts(context: Context, query: FactQuery, now: datetime) -> bytes:
    """A `FactPage` as JSON. Raises `Problem`."""
    row = await context.database.read(
        QUERY,
        {
            "kind": query.kind,
            "source": query.source,
            "subject": query.subject,
            "from": query.start,
            "to": query.end,
            "limit": query.limit,
            "cursor": query.cursor,
            "now": now,
        },
    )
    return row[0]  # type: ignore[no-any-return]
