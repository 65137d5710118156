"""Ingest: one call of SQL per batch, then the cache, then the acknowledgement."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from supervisor_mcp.db import Json
from supervisor_mcp.errors import Problem, outcome_unknown
from supervisor_mcp.operations import text_rules
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.json_validation import check_document
from supervisor_mcp.operations.query import Query

LARGEST_BATCH = 10_000


class IngestOptions(Query, frozen=True):
    """How a batch is stored."""

    partial: Annotated[
        bool,
        Meta(
            description="true stores the good items and returns the bad ones in rejected; false"
            " refuses the batch for one bad item."
        ),
    ] = False
    idempotency_key: Annotated[
        str | None,
        Meta(
            description="Your name for this request: repeated with the same name and items, it"
            " stores nothing and returns the first answer.",
            extra_json_schema=text_rules.IDEMPOTENCY_KEY,
        ),
    ] = None


class Rejection(Struct):
    """A rule that an item breaks; the item was not stored."""

    index: Annotated[int, Meta(description="Place of the item in the batch, from 0.")]
    field: Annotated[str, Meta(description="Field that breaks the rule; empty for the item.")]
    slug: Annotated[str, Meta(description="Name of the rule.")]
    detail: Annotated[str, Meta(description="The rule in words.")]


class Receipt(Struct):
    """What became of a batch; it is committed."""

    accepted: Annotated[int, Meta(description="Items stored.")]
    duplicate: Annotated[int, Meta(description="Items that were stored before.")]
    conflict: Annotated[
        int, Meta(description="Items stored before with other content: kept apart, not counted.")
    ]
    late: Annotated[int, Meta(description="Stored items older than the last rollup.")]
    rejected: Annotated[
        list[Rejection],
        Meta(description="Rules that refused items break; only with partial."),
    ]
    omitted: Annotated[
        int | UnsetType,
        Meta(description="Refused items not in rejected; only over MCP."),
    ] = UNSET


async def ingest(
    context: Context, function: str, document: bytes, options: IngestOptions, now: datetime
) -> bytes:
    """Store a JSON document of one item or an array by a function of `api`.

    Returns a `Receipt` as JSON; it is committed. Raises `Problem`.
    """
    await check_document(document)
    arguments = {"body": Json(document), **options.arguments(), "now": now}
    # A client that disconnects must not keep a committed batch from reaching the cache.
    return await asyncio.shield(_store(context, function, arguments))


async def _store(context: Context, function: str, arguments: dict[str, Any]) -> bytes:
    try:
        receipt, kinds, change = await context.database.write_row(function, arguments)
    except Problem as problem:
        if problem.slug not in {"too_slow", "unavailable"}:
            raise
        # If it was committed all the same, the log of changes names its kinds.
        context.changes.wake()
        raise outcome_unknown(problem) from problem
    if kinds:
        await context.cache.invalidate(kinds, change)
    return bytes(receipt)
