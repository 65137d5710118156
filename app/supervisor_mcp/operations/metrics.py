"""Metrics: technical time series of a source."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from supervisor_mcp.operations import text_rules
from supervisor_mcp.operations.arguments import TIMESTAMP_RULE, From, Source, To
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.ingest import IngestOptions, ingest
from supervisor_mcp.operations.items import VALUE_RANGE, ItemSource
from supervisor_mcp.operations.query import Query

LabelName = Annotated[str, Meta(extra_json_schema=text_rules.LABEL_NAME)]
LabelValue = Annotated[str, Meta(max_length=500)]


class Histogram(Struct, forbid_unknown_fields=True):
    """counts[i] are in (bounds[i-1], bounds[i]]; one more count is above all bounds.

    sum is one that these allow.
    """

    bounds: Annotated[list[float], Meta(min_length=1, max_length=500)]
    counts: Annotated[list[Annotated[int, Meta(ge=0)]], Meta(min_length=2, max_length=501)]
    sum: float
    count: Annotated[int, Meta(ge=0)]


Number = Annotated[float, Meta(extra_json_schema=VALUE_RANGE)]
Timestamp = Annotated[str | float, Meta(extra_json_schema=TIMESTAMP_RULE)]
SEVERAL = Meta(min_length=1)


class MetricItem(Struct, forbid_unknown_fields=True):
    """A value of a series at a point in time, or several values."""

    name: Annotated[
        str,
        Meta(
            extra_json_schema={**text_rules.METRIC_NAME, "not": {"pattern": "^Fact:"}},
            description="Name of the metric, the same for all sources: http_requests_total.",
        ),
    ]
    source: ItemSource
    value: Annotated[
        Number | Histogram | Annotated[list[Number], SEVERAL],
        Meta(
            description="A number; for a histogram the observations since the previous report."
            " Several samples: arrays as value and ts."
        ),
    ]
    ts: (
        Annotated[
            Timestamp | Annotated[list[Timestamp], SEVERAL],
            Meta(
                description="RFC 3339 with an offset, or epoch seconds, at most 5 minutes ahead;"
                " the server's time if left out."
            ),
        ]
        | UnsetType
        | None
    ) = UNSET
    labels: (
        Annotated[
            dict[LabelName, LabelValue],
            Meta(
                max_length=32,
                description='What sets series of a metric apart, at most 32: {"region": "eu"}.',
            ),
        ]
        | UnsetType
        | None
    ) = UNSET
    type: (
        Annotated[
            Literal["gauge", "counter", "histogram"],
            Meta(
                description="gauge (default), counter (a growing total that may restart at 0) or"
                " histogram; settled by the first sample."
            ),
        ]
        | UnsetType
        | None
    ) = UNSET
    unit: (
        Annotated[
            str,
            Meta(
                description="Unit, such as seconds or bytes; a metric keeps its first one.",
                extra_json_schema=text_rules.UNIT,
            ),
        ]
        | UnsetType
        | None
    ) = UNSET


class SeriesQuery(Query, frozen=True):
    """Which series to return, and in what steps."""

    name: Annotated[str, Meta(description="Exact name of a metric, or a fact kind.")]
    source: Source = None
    labels: Annotated[
        dict[str, str] | None, Meta(description='Only series with these labels: {"region": "eu"}.')
    ] = None
    from_: From = field(default=None, name="from")
    to: To = None
    step: Annotated[
        str | None,
        Meta(
            description="Distance of the points; the finest with at most 300 points if left out."
            " Rounded up to hours or days where nothing finer is kept.",
            extra_json_schema={**text_rules.STEP, "examples": ["30s", "5m", "1h", "1d"]},
        ),
    ] = None
    split_by: Annotated[
        Literal["version"] | None,
        Meta(description="Splits series by the version that their MCP server had."),
    ] = None


class Series(Struct, kw_only=True):
    """One series: points are arrays with the columns of the answer, one every step."""

    source: str
    labels: dict[str, str]
    server: Annotated[
        str | UnsetType | None, Meta(description="Server of the source; only with split_by.")
    ] = UNSET
    version: Annotated[
        str | UnsetType | None,
        Meta(description="Version of the server at these points; only with split_by."),
    ] = UNSET
    points: list[list[str | float | None]]


class SeriesResult(Struct):
    """The series of a kind over a range; gaps are filled with nulls.

    A counter has the rate between its readings in gaps too; null before the first one and after
    the last one.
    """

    name: str
    type: str
    unit: str | None
    from_: str = field(name="from")
    to: str
    step_seconds: int
    resolution: Annotated[
        Literal["raw", "1h", "1d"],
        Meta(description="Computed from samples (raw), hours or days."),
    ]
    columns: list[str]
    series: list[Series]
    hint: Annotated[
        str | UnsetType, Meta(description="What to ask instead; only where there are no series.")
    ] = UNSET


async def ingest_metrics(
    context: Context, document: bytes, options: IngestOptions, now: datetime
) -> bytes:
    """Store one metric item or an array of them; the `Receipt` as JSON. Raises `Problem`."""
    return await ingest(context, "ingest_metrics", document, options, now)


async def query_metrics(context: Context, query: SeriesQuery, now: datetime) -> bytes:
    """A `SeriesResult` as JSON. Raises `Problem`."""
    arguments = {**query.arguments(), "now": now}
    if query.split_by is not None:
        # A registration is no change of a kind.
        return await context.reads.read_json("query_metrics", arguments)
    return await context.reads.read_kind_json("query_metrics", arguments, query.name)
