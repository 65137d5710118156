"""Aggregates: statistics of one kind, or of every kind, over a window."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import cached_property, partial
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

from supervisor_mcp import identity
from supervisor_mcp.cache.aggregates import EVERY_KIND
from supervisor_mcp.cache.store import Computed, Key
from supervisor_mcp.operations import text_rules
from supervisor_mcp.operations.arguments import Source, Timestamp, Window
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.query import Query

Field = Literal[
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "stddev",
    "last",
    "p50",
    "p90",
    "p95",
    "p99",
    "rate_per_second",
    "previous",
    "change",
    "groups",
    "freshness",
    "error_bound",
]


class AggregateQuery(Query, frozen=True, dict=True):
    """Which aggregate to return."""

    window: Window
    kind: Annotated[
        str | None,
        Meta(description="Exact name of a metric or fact kind; every kind if left out."),
    ] = None
    source: Source = None
    group_by: Annotated[
        str | None,
        Meta(
            description="Adds the same statistics for every source, or every value of a label.",
            extra_json_schema={
                **text_rules.GROUP_BY,
                "examples": ["source", "label.region"],
            },
        ),
    ] = None
    fields: Annotated[
        tuple[Field, ...] | None,
        Meta(
            description="Only these members: faster and shorter.",
            extra_json_schema={"minItems": 1},
        ),
    ] = None
    as_of: Annotated[
        Timestamp | None,
        Meta(
            description="What was known at this time, from snapshots; not with source or group_by."
        ),
    ] = None

    @property
    def narrowed(self) -> bool:
        """Whether it asks for anything but a whole kind as it is now."""
        return (self.source, self.group_by, self.fields, self.as_of) != (None,) * 4

    def key(self, namespace: str) -> Key | None:
        """Where the cache holds the answer for a namespace; None where it does not."""
        # Snapshots are stored already, and no kind is called * as every kind is in the cache.
        if self.as_of is not None or self.kind == EVERY_KIND:
            return None
        key = self._keys.get(namespace)
        if key is None:
            kind = EVERY_KIND if self.kind is None else self.kind
            key = Key(kind, self.window, self._digest(), namespace=namespace)
            self._keys[namespace] = key
        return key

    @cached_property
    def _keys(self) -> dict[str, Key]:
        """The keys that were made: the same query is asked for again and again."""
        return {}

    def _digest(self) -> str:
        if not self.narrowed:
            return ""
        filters = msgspec.json.encode([self.source, self.group_by, self.fields])
        return hashlib.blake2b(filters, digest_size=16).hexdigest()


Number = float | None | UnsetType


class Statistics(Struct):
    """Statistics of a window or group; null where there is no value."""

    count: Annotated[int | UnsetType, Meta(description="Observations.")] = UNSET
    sum: Number = UNSET
    avg: Number = UNSET
    min: Annotated[
        Number, Meta(description="Of a histogram: a bound; null where the bucket is open.")
    ] = UNSET
    max: Number = UNSET
    stddev: Annotated[
        Number, Meta(description="Standard deviation of the population, not of a sample.")
    ] = UNSET
    last: Annotated[
        Number,
        Meta(description="Newest value, the greatest of several at once; null for histograms."),
    ] = UNSET
    p50: Number = UNSET
    p90: Number = UNSET
    p95: Number = UNSET
    p99: Number = UNSET
    rate_per_second: Annotated[
        float | UnsetType,
        Meta(
            description="Growth of a counter, resets included, and the growth since the last"
            " reading before the window if that is at most as old again (5 minutes to 7 days);"
            " observations otherwise."
        ),
    ] = UNSET


class Previous(Statistics, kw_only=True):
    """Statistics of the window before, as long as this one."""

    from_: str = field(name="from")
    to: str


class Group(Statistics, kw_only=True):
    """Statistics of a source or of a label value."""

    group: str | None


class Freshness(Struct):
    """How current the statistics are."""

    watermark: Annotated[str | None, Meta(description="Where the rolled-up part ends.")]
    newest: Annotated[str | None, Meta(description="Time of the newest observation.")]
    late_pending: Annotated[
        int, Meta(description="Late samples, included here, that are not rolled up yet.")
    ]


class Aggregate(Statistics, kw_only=True):
    """A kind over a window, [from, to]; members that `fields` leaves out are absent."""

    kind: str
    type: str
    unit: str | None
    window: str
    from_: str = field(name="from")
    to: str
    previous: Previous | UnsetType = UNSET
    change: Annotated[
        dict[str, float | None] | UnsetType,
        Meta(description="By statistic; null where it was zero or empty before."),
    ] = UNSET
    groups: list[Group] | UnsetType = UNSET
    hint: Annotated[
        str | UnsetType,
        Meta(description="What to ask instead; only where nothing has the source or label."),
    ] = UNSET
    freshness: Freshness | UnsetType = UNSET
    error_bound: Annotated[
        Number,
        Meta(
            description="Relative error of percentiles; null for histograms, and where one lies"
            " between values of different sign, or beyond 2e-15 to 1e52."
        ),
    ] = UNSET
    computed_at: str


class Aggregates(Struct):
    """Every kind over a window."""

    window: str
    kinds: list[Aggregate]
    computed_at: str


async def query_agg(context: Context, query: AggregateQuery, now: datetime) -> bytes:
    """An `Aggregate` as JSON, or `Aggregates` where no kind is named. Raises `Problem`."""
    key = query.key(identity.current.get().namespace)
    if key is None:
        return (await _compute(context, query, now)).answer
    return await context.cache.answer(key, partial(_compute, context, query, now))


def find_agg(context: Context, query: AggregateQuery) -> bytes | None:
    """What `query_agg` answers, if this process has a copy of it; without a coroutine."""
    key = query.key(identity.current.get().namespace)
    return None if key is None else context.cache.find(key)


async def _compute(context: Context, query: AggregateQuery, now: datetime) -> Computed:
    arguments = {**query.arguments(), "now": now}
    if query.as_of is not None:
        # What was recorded is no change of a kind.
        return Computed(await context.reads.read_json("query_agg", arguments), None)
    computed = await context.reads.read_kind("query_agg", arguments, query.kind or EVERY_KIND)
    # What lacks the newest is no answer to remember.
    if not query.narrowed and computed.visibility is not None:
        context.snapshots.offer(query.kind, query.window, computed.answer)
    return computed
