"""Keep-alives of servers: many calls of a process become one statement."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.heartbeat_writer import MOST_NAMES
from supervisor_mcp.operations.outcome import known_outcome
from supervisor_mcp.operations.query import Query
from supervisor_mcp.operations.servers import ServerName


class Heartbeat(Query, frozen=True):
    """Whose keep-alive to renew."""

    name: ServerName


class Heartbeats(Query, frozen=True):
    """Whose keep-alives to renew."""

    names: Annotated[
        tuple[str, ...],
        Meta(
            description="Exact names of registered servers.",
            extra_json_schema={"maxItems": MOST_NAMES},
        ),
    ]


class Renewal(Struct):
    """What became of keep-alives; it is committed."""

    renewed: Annotated[int, Meta(description="Servers whose keep-alive was renewed.")]
    unknown: Annotated[list[str], Meta(description="Names that are not registered.")]


async def heartbeat_server(context: Context, query: Heartbeat, now: datetime) -> bytes:
    """A `Renewal` of one server as JSON. Raises `Problem`."""
    with known_outcome("it is renewed"):
        return await context.heartbeats.renew((query.name,), now)


async def heartbeat(context: Context, query: Heartbeats, now: datetime) -> bytes:
    """A `Renewal` as JSON. Raises `Problem`."""
    with known_outcome("it is renewed"):
        return await context.heartbeats.renew(query.names, now)
