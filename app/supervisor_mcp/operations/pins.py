"""Pins: raw rows that are kept past retention."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct, field

from supervisor_mcp.operations.arguments import Source, Timestamp
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.outcome import known_outcome
from supervisor_mcp.operations.query import Query


class PinRequest(Query, frozen=True):
    """A range of time of a source, and why its rows are kept."""

    source: Annotated[str, Meta(description="Source whose samples and facts are kept.")]
    from_: Annotated[Timestamp, Meta(description="Start, included.")] = field(name="from")
    to: Annotated[Timestamp, Meta(description="End, not included.")]
    reason: Annotated[
        str,
        Meta(
            description="Why, such as the name of an incident.",
            extra_json_schema={"minLength": 1, "maxLength": 1000},
        ),
    ]


class PinQuery(Query, frozen=True):
    """Which pins to list."""

    source: Source = None


class Unpin(Query, frozen=True):
    """Which pin to remove."""

    id: Annotated[
        int,
        Meta(
            description="Number of the pin, as list_pins shows it.",
            extra_json_schema={"minimum": 0, "maximum": 999_999_999},
        ),
    ]


class Pin(Struct):
    """A pin."""

    id: int
    source: str
    from_: str = field(name="from")
    to: str
    reason: str
    author: str
    pinned_at: str


class PinList(Struct):
    """Pins, the newest first."""

    items: list[Pin]


async def pin_window(context: Context, request: PinRequest, now: datetime) -> bytes:
    """A `Pin` as JSON; it is committed. Raises `Problem`."""
    with known_outcome("the window is pinned"):
        return await context.database.write_json("pin_window", {**request.arguments(), "now": now})


async def list_pins(context: Context, query: PinQuery) -> bytes:
    """A `PinList` as JSON. Raises `Problem`."""
    return await context.reads.read_json("list_pins", query.arguments())


async def unpin_window(context: Context, unpin: Unpin, now: datetime) -> bytes:
    """The `Pin` that was, as JSON; its removal is committed. Raises `Problem`."""
    with known_outcome("the window is not pinned any more"):
        return await context.database.write_json("unpin_window", {**unpin.arguments(), "now": now})
