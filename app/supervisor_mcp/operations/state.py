"""State: whether the service is ready, and what the database holds."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from supervisor_mcp.errors import Problem
from supervisor_mcp.operations.context import Context

# What monitoring asks for must come before it gives up.
STATE_SECONDS = 3.0
# Changes are read every second; a busy machine takes its time.
LATE_READING_SECONDS = 5.0
# Where writes have stopped coming, none can show that they succeed again.
LOST_WRITE_SECONDS = 300.0


class Readiness(Struct):
    """`degraded`: requests are answered, except for what the other members name."""

    status: Literal["ready", "degraded"]
    database: Literal["ok"]
    cache: Annotated[
        Literal["ok", "degraded", "off"],
        Meta(description="degraded: answers come from SQL instead of the cache."),
    ]
    ingest: Annotated[
        Literal["ok", "failing"],
        Meta(description="failing: the last write failed, as on a full disk."),
    ]
    reasons: Annotated[
        list[str], Meta(description="Why it is degraded, in words; empty when it is ready.")
    ]


async def read_state(context: Context, now: datetime) -> dict[str, Any]:
    """What the database holds, as `api.get_state` says, and whether it answered in time."""
    call = asyncio.create_task(context.database.read_aside("get_state", {"now": now}))
    call.add_done_callback(_retrieve)
    # To cancel a statement takes as long as the server likes; the answer does not wait for it.
    done, _ = await asyncio.wait({call}, timeout=STATE_SECONDS)
    if not done:
        call.cancel()
    if not done or isinstance(call.exception(), Problem):
        return {"database_up": 0}
    (state,) = call.result()
    return {"database_up": 1, **msgspec.json.decode(state, type=dict[str, Any])}


async def read_readiness(context: Context) -> Readiness:
    """Whether requests are answered. Raises `Problem` `unavailable` when they are not."""
    fault = await context.cache.fault()
    cache: Literal["ok", "degraded", "off"] = "ok" if fault is None else "degraded"
    if context.cache.is_off:
        cache = "off"
    try:
        await context.database.probe()
    except Problem as problem:
        params = {**problem.params, "database": "unavailable", "cache": cache}
        raise Problem(problem.slug, problem.detail, hint=problem.hint, params=params) from problem
    failing = context.database.lost_a_write(within_seconds=LOST_WRITE_SECONDS)
    reasons = []
    if fault is not None:
        reasons.append(f"cache: {fault}")
    if context.changes.seconds_since_reading() > LATE_READING_SECONDS:
        reasons.append("changes: they cannot be read, so answers of the cache may be stale")
    if failing:
        reasons.append("ingest: the last write failed")
    return Readiness(
        "degraded" if reasons else "ready", "ok", cache, "failing" if failing else "ok", reasons
    )


def _retrieve(call: asyncio.Task[tuple[Any, ...]]) -> None:
    """Mark an error as seen: the caller may have gone."""
    if not call.cancelled():
        call.exception()
