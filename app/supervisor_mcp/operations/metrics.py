"""Metrics: technical time series of a source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, LiteralString, Self

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from supervisor_mcp.db import Json
from supervisor_mcp.operations import arguments
from supervisor_mcp.operations.batches import ingest
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.json_validation import check_document

INGEST: LiteralString = """
select answer, kinds
from api.ingest_metrics(
    p_body => %(body)s, p_partial => %(partial)s,
    p_idempotency_key => %(idempotency_key)s, p_now => %(now)s
)
"""

QUERY: LiteralString = """
select api.query_metrics(
    p_name => %(name)s, p_source => %(source)s, p_labels => %(labels)s,
    p_from => %(from)s, p_to => %(to)s, p_step => %(step)s, p_now => %(now)s
)
"""


class Histogram(Struct, forbid_unknown_fields=True):
    """Observations counted in buckets; counts has one more entry than bounds."""

    bounds: Annotated[list[float], Meta(min_length=1, max_length=500)]
    counts: Annotated[list[Annotated[int, Meta(ge=0)]], Meta(min_length=2, max_length=501)]
    sum: float
    count: Annotated[int, Meta(ge=0)]


class MetricItem(Struct, forbid_unknown_fields=True):
    """A value of a series at an instant."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_.:/-]{0,199}$")]
    source: Annotated[str, Meta(min_length=1, max_length=200, description="Who measures.")]
    value: float | Histogram
    ts: Annotated[
        str | float | UnsetType | None,
        Meta(description="RFC 3339 with its offset, or epoch seconds; the server's time if absent"),
    ] = UNSET
    labels: dict[str, str] | UnsetType | None = UNSET
    type: Literal["gauge", "counter", "histogram"] | UnsetType | None = UNSET
    unit: Annotated[str, Meta(min_length=1, max_length=50)] | UnsetType | None = UNSET


class Series(Struct):
    """One series: points are arrays with the columns of the answer, one every step."""

    source: str
    labels: dict[str, str]
    points: list[list[str | float | None]]


class SeriesResult(Struct):
    """The series of a kind over a range; gaps are filled with nulls."""

    name: str
    type: str
    unit: str | None
    from_: str = msgspec.field(name="from")
    to: str
    step_seconds: int
    columns: list[str]
    series: list[Series]


async def ingest_metrics(
    context: Context,
    document: bytes,
    *,
    partial: bool = False,
    idempotency_key: str | None = None,
    now: datetime,
) -> bytes:
    """Store one metric item or an array of them; the `Receipt` as JSON. Raises `Problem`."""
    await check_document(document)
    return await ingest(
        context, INGEST, document, partial=partial, idempotency_key=idempotency_key, now=now
    )


@dataclass(frozen=True, slots=True)
class SeriesQuery:
    """What is asked of series; `read` makes one."""

    name: str
    source: str | None
    labels: Mapping[str, str]
    start: datetime | None
    end: datetime | None
    step: str | None

    @classmethod
    def read(
        cls,
        *,
        name: str | None,
        source: str | None = None,
        labels: Mapping[str, str] | None = None,
        start: str | float | None = None,
        end: str | float | None = None,
        step: str | None = None,
    ) -> Self:
        """Read arguments as they were sent. Raises `Problem`."""
        return cls(
            arguments.required("name", name, "list_kinds (GET /query/kinds) names the metrics."),
            arguments.optional("source", source),
            {
                arguments.text(f"label.{label}", label): arguments.text(f"label.{label}", value)
                for label, value in (labels or {}).items()
            },
            arguments.instant("from", start),
            arguments.instant("to", end),
            arguments.optional("step", step),
        )


async def query_metrics(context: Context, query: SeriesQuery, now: datetime) -> bytes:
    """`SeriesResult` as JSON. Raises `Problem`."""
    row = await context.database.read(
        QUERY,
        {
            "name": query.name,
            "source": query.source,
            "labels": Json(msgspec.json.encode(query.labels)),
            "from": query.start,
            "to": query.end,
            "step": query.step,
            "now": now,
        },
    )
    return row[0]  # type: ignore[no-any-return]
