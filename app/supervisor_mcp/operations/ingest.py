"""Ingest: one call of SQL per batch, then the cache, then the acknowledgement."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from supervisor_mcp import identity
from supervisor_mcp.errors import Problem
from supervisor_mcp.json_text import Bodies, Body
from supervisor_mcp.operations import text_rules
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.item_writer import MOST_BYTES
from supervisor_mcp.operations.json_validation import check_depth, check_document
from supervisor_mcp.operations.outcome import UNKNOWN, known_outcome
from supervisor_mcp.operations.query import Query

LARGEST_BATCH = 10_000
# What SQL says of a body that is not JSON, or that repeats a key.
UNREADABLE = {"value_invalid", "json_keys_repeated"}
STORED = "the items are stored"
ITEMS_AGAIN = (
    "Send the request again. That is safe with the same Idempotency-Key, or where every item has a"
    " ts or fact_id: an item that is stored already counts as duplicate."
)


class IngestOptions(Query, frozen=True):
    """How a batch is stored."""

    partial: Annotated[
        bool,
        Meta(
            description="true stores the good items and returns the others in rejected; false"
            " refuses all for a bad one."
        ),
    ] = False
    idempotency_key: Annotated[
        str | None,
        Meta(
            description="Your name for this request: sent again, it has the first answer.",
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

    Small documents that come at the same time share a statement. Returns a `Receipt` as JSON; it
    is committed. Raises `Problem`.
    """
    await check_depth(document)
    alone = partial(_ingest_alone, context, function, document, options, now)
    if options.idempotency_key is not None or len(document) > MOST_BYTES:
        return await alone()
    together = partial(_ingest_together, context, f"{function}_together")
    return await context.items[function].store(document, now, alone, together)


async def _ingest_alone(
    context: Context, function: str, document: bytes, options: IngestOptions, now: datetime
) -> bytes:
    arguments = {"body": Body(document), **options.arguments(), "now": now}
    try:
        receipt = await write(context, function, arguments, STORED, ITEMS_AGAIN)
        return bytes(receipt)
    except Problem as problem:
        if problem.slug in UNREADABLE:
            # SQL names neither the position nor the key.
            await check_document(document)
        raise


async def _ingest_together(
    context: Context, function: str, documents: Sequence[bytes], nows: Sequence[datetime]
) -> list[bytes] | None:
    arguments = {"bodies": Bodies(map(Body, documents)), "nows": list(nows)}
    receipts: list[bytes] | None = await write(context, function, arguments, STORED, ITEMS_AGAIN)
    return receipts


async def write(
    context: Context, function: str, arguments: Mapping[str, Any], what: str, again: str
) -> Any:
    """The answer of a function of `api` that writes; what is kept of its kinds is invalidated.

    `what` and `again` are for the problem of a call whose outcome is unknown: what may have
    happened, and how to repeat it. Raises `Problem`.
    """
    # A client that disconnects must not keep what is committed from reaching the cache.
    return await asyncio.shield(_write(context, function, arguments, what, again))


async def _write(
    context: Context, function: str, arguments: Mapping[str, Any], what: str, again: str
) -> Any:
    try:
        with known_outcome(what, again):
            answer, kinds, change = await context.database.write_row(function, arguments)
    except Problem as problem:
        if problem.slug in UNKNOWN:
            # If it was committed all the same, the log of changes names its kinds.
            context.changes.wake()
        raise
    if kinds:
        namespace = identity.current.get().namespace
        await context.cache.invalidate(kinds, change, namespace=namespace)
    return answer
