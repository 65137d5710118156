"""State: whether the service is ready, and what the database holds."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct

from supervisor_mcp.errors import unavailable
from supervisor_mcp.operations.context import Context


class Readiness(Struct):
    """`degraded`: answers come from SQL instead of the cache."""

    status: Literal["ready", "degraded"]
    database: Literal["ok"]
    cache: Literal["ok", "degraded", "off"]


async def read_state(context: Context, now: datetime) -> dict[str, Any]:
    """What the database holds, as `api.get_state` says. Raises `Problem`."""
    state = await context.database.read_json("get_state", {"now": now})
    return msgspec.json.decode(state, type=dict[str, Any])


async def read_readiness(context: Context, now: datetime) -> Readiness:
    """Whether requests are answered. Raises `Problem` `unavailable` when they are not."""
    cache = await context.cache.state()
    try:
        await read_state(context, now)
    except Exception as error:
        raise unavailable({"database": "unavailable", "cache": cache}) from error
    return Readiness("degraded" if cache == "degraded" else "ready", "ok", cache)
