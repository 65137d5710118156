"""State: whether the service is ready, and what the database holds."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from supervisor_mcp.errors import Problem
from supervisor_mcp.operations.context import Context

# What monitoring asks for must come before it gives up.
STATE_SECONDS = 3.0
# Changes are read every second; a busy machine takes its time.
LATE_READING_SECONDS = 5.0
# Where writes have stopped coming, none can show that they succeed again.
LOST_WRITE_SECONDS = 300.0


class Readiness(Struct, kw_only=True):
    """`degraded`: requests are answered, except for what the other members name."""

    status: Literal["ready", "degraded"]
    database: Annotated[
        Literal["ok", "standby", "unavailable"],
        Meta(
            description="standby: it takes no writes; unavailable: its standby answers reads alone."
        ),
    ]
    cache: Annotated[
        Literal["ok", "degraded", "off"],
        Meta(description="degraded: answers come from SQL instead of the cache."),
    ]
    ingest: Annotated[
        Literal["ok", "failing", "refused"],
        Meta(
            description="failing: the last write failed, as on a full disk; refused: the database"
            " takes no writes."
        ),
    ]
    reads: Annotated[
        Literal["primary", "standby"] | UnsetType,
        Meta(description="Which database answers questions about kinds; only with a standby."),
    ] = UNSET
    lag_seconds: Annotated[
        float | UnsetType | None,
        Meta(
            description="How far the standby is behind; null while it does not answer. Only with"
            " a standby."
        ),
    ] = UNSET
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
    replication = context.replication
    standby = {} if replication is None else replication.state()
    if not done or isinstance(call.exception(), Problem):
        return {"database_up": 0, **standby}
    (state,) = call.result()
    return {"database_up": 1, **standby, **msgspec.json.decode(state, type=dict[str, Any])}


async def read_readiness(context: Context) -> Readiness:
    """Whether requests are answered. Raises `Problem` `unavailable` when they are not."""
    fault = await context.cache.fault()
    cache: Literal["ok", "degraded", "off"] = "ok" if fault is None else "degraded"
    if context.cache.is_off:
        cache = "off"
    reasons = [] if fault is None else [f"cache: {fault}"]
    readiness = Readiness(status="ready", database="ok", cache=cache, ingest="ok", reasons=reasons)
    try:
        takes_writes = await context.database.probe()
    except Problem as problem:
        if context.replication is None or not context.replication.reads_from_standby:
            params = {**problem.params, "database": "unavailable", "cache": cache}
            raise Problem(
                problem.slug, problem.detail, hint=problem.hint, params=params
            ) from problem
        readiness.database = "unavailable"
        readiness.ingest = "failing"
    else:
        if context.changes.seconds_since_reading() > LATE_READING_SECONDS:
            reasons.append("changes: they cannot be read, so answers of the cache may be stale")
        if not takes_writes:
            readiness.database = "standby"
            readiness.ingest = "refused"
            readiness.lag_seconds = await _age(context)
            reasons.append("database: it is a standby or read-only, so it takes no writes")
        elif context.database.lost_a_write(within_seconds=LOST_WRITE_SECONDS):
            readiness.ingest = "failing"
            reasons.append("ingest: the last write failed")
    if context.replication is not None:
        readiness.reads = "standby" if context.replication.reads_from_standby else "primary"
        readiness.lag_seconds = context.replication.lag_seconds
        if context.replication.reason is not None:
            reasons.append(f"reads: {context.replication.reason}")
    if reasons:
        readiness.status = "degraded"
    return readiness


async def _age(context: Context) -> float | None:
    """How long ago the primary committed what a standby has replayed last."""
    try:
        _, _, age_seconds = await context.database.read_aside("get_replication", {})
    except Problem:
        return None
    return None if age_seconds is None else float(age_seconds)


def _retrieve(call: asyncio.Task[tuple[Any, ...]]) -> None:
    """Mark an error as seen: the caller may have gone."""
    if not call.cancelled():
        call.exception()
