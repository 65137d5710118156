"""Aggregates: what a kind, or every kind, amounts to over a window."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, LiteralString, Self

import msgspec
from msgspec import Meta, Struct

from supervisor_mcp.cache.aggregates import EVERY_KIND, Key
from supervisor_mcp.operations import arguments
from supervisor_mcp.operations.context import Context

SNAPSHOT: LiteralString = """
select api.snapshot_agg(p_kind => %(kind)s, p_window => %(window)s, p_now => %(now)s)
"""

QUERY: LiteralString = """
select api.query_agg(
    p_kind => %(kind)s, p_window => %(window)s, p_source => %(source)s,
    p_group_by => %(group_by)s, p_fields => null, p_as_of => %(as_of)s, p_now => %(now)s
)
"""


class Numbers(Struct):
    """The numbers of a window or group; null where there is no value."""

    count: Annotated[int, Meta(description="Observations.")]
    sum: float | None
    avg: float | None
    min: float | None
    max: float | None
    stddev: Annotated[float | None, Meta(description="Of the population.")]
    last: Annotated[float | None, Meta(description="Newest value.")]
    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None
    rate_per_second: Annotated[
        float, Meta(description="Growth of a counter, resets included; observations otherwise.")
    ]


class Previous(Numbers):
    """The numbers of the window before."""

    from_: str = msgspec.field(name="from")
    to: str


class Group(Numbers):
    """The numbers of a source or of a label's value."""

    group: str | None


class Change(Struct):
    """Relative change against the window before; null where that was zero or empty."""

    count: float | None
    sum: float | None
    avg: float | None
    min: float | None
    max: float | None
    stddev: float | None
    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None
    rate_per_second: float | None


class Freshness(Struct):
    """How new the numbers are."""

    watermark: Annotated[str | None, Meta(description="Where the rolled-up part ends.")]
    newest: Annotated[str | None, Meta(description="Instant of the newest observation.")]
    late_pending: Annotated[
        int, Meta(description="Late samples, included here, that are not rolled up yet.")
    ]


class Aggregate(Numbers):
    """A kind over a window, [from, to]."""

    kind: str
    type: str
    unit: str | None
    window: str
    from_: str = msgspec.field(name="from")
    to: str
    previous: Previous
    change: Change
    groups: list[Group]
    freshness: Freshness
    error_bound: Annotated[
        float | None, Meta(description="Relative error of percentiles; null for histograms.")
    ]
    computed_at: str


class Aggregates(Struct):
    """Every kind over a window."""

    window: str
    kinds: list[Aggregate]
    computed_at: str


@dataclass(frozen=True, slots=True)
class AggregateQuery:
    """What is asked of aggregates; `read` makes one."""

    kind: str | None
    window: str
    source: str | None
    group_by: str | None
    as_of: datetime | None
    key: Key | None

    @classmethod
    def read(
        cls,
        *,
        kind: str | None = None,
        window: str | None,
        source: str | None = None,
        group_by: str | None = None,
        as_of: str | float | None = None,
    ) -> Self:
        """Read arguments as they were sent. Raises `Problem`."""
        window = arguments.required("window", window, "Name a window: 1h, 24h, 7d, 30d or 90d.")
        kind = arguments.optional("kind", kind)
        source = arguments.optional("source", source)
        group_by = arguments.optional("group_by", group_by)
        instant = arguments.instant("as_of", as_of)
        key = None
        # What was known at an instant is stored already, and no kind has the name of all of them.
        if instant is None and kind != EVERY_KIND:
            key = Key(EVERY_KIND if kind is None else kind, window, _digest(source, group_by))
        return cls(kind, window, source, group_by, instant, key)

    @property
    def narrowed(self) -> bool:
        """Whether it asks for anything but a whole kind as it is now."""
        return not (self.source is None and self.group_by is None and self.as_of is None)


async def query_agg(context: Context, query: AggregateQuery, now: datetime) -> bytes:
    """An `Aggregate` as JSON, or `Aggregates` where no kind is named. Raises `Problem`."""

    async def compute() -> bytes:
        return await _compute(context, query, now)

    if query.key is None:
        return await compute()
    return await context.cache.answer(query.key, compute)


async def _compute(context: Context, query: AggregateQuery, now: datetime) -> bytes:
    asked = {"kind": query.kind, "window": query.window, "now": now}
    if not query.narrowed:
        return (await context.database.write(SNAPSHOT, asked))[0]  # type: ignore[no-any-return]
    narrowed = {
        **asked,
        "source": query.source,
        "group_by": query.group_by,
        "as_of": query.as_of,
    }
    return (await context.database.read(QUERY, narrowed))[0]  # type: ignore[no-any-return]


def _digest(source: str | None, group_by: str | None) -> str:
    if source is None and group_by is None:
        return ""
    return hashlib.blake2b(msgspec.json.encode([source, group_by]), digest_size=16).hexdigest()
