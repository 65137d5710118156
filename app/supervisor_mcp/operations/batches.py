"""Ingest: one call of SQL per batch, then the cache, then the acknowledgement."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any, LiteralString

from msgspec import Meta, Struct

from supervisor_mcp.db import Json
from supervisor_mcp.operations.arguments import optional
from supervisor_mcp.operations.context import Context


class Refusal(Struct):
    """An item that was not stored."""

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
    rejected: Annotated[list[Refusal], Meta(description="Items refused; only with partial=true.")]


async def ingest(
    context: Context,
    statement: LiteralString,
    document: bytes,
    *,
    partial: bool,
    idempotency_key: str | None,
    now: datetime,
) -> bytes:
    """Store a checked JSON document by `statement`; the receipt as JSON. Raises `Problem`."""
    arguments = {
        "body": Json(document),
        "partial": partial,
        "idempotency_key": optional("Idempotency-Key", idempotency_key),
        "now": now,
    }
    # A client that goes away must not keep a committed batch from reaching the cache.
    return await asyncio.shield(_store(context, statement, arguments))


async def _store(context: Context, statement: LiteralString, arguments: dict[str, Any]) -> bytes:
    receipt, kinds = await context.database.write(statement, arguments)
    if kinds:
        await context.cache.invalidate(kinds)
    return receipt  # type: ignore[no-any-return]
