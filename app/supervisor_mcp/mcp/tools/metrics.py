"""Metrics: storing samples, and reading series."""

from __future__ import annotations

from typing import Annotated, Any

from supervisor_mcp.mcp.answers import bounded
from supervisor_mcp.mcp.arguments import INSTANT, IdempotencyKey, Partial, Source, described, named
from supervisor_mcp.mcp.items import document, item_document, report
from supervisor_mcp.mcp.operation_tool import OperationTool
from supervisor_mcp.mcp.schemas import batch_schema, field_schema, item_schema
from supervisor_mcp.operations import metrics
from supervisor_mcp.operations.batches import Receipt
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.metrics import MetricItem, SeriesQuery, SeriesResult

ITEM = item_schema(
    MetricItem,
    {
        "name": "Name of the metric, the same for all sources, such as http_requests_total.",
        "source": "Who measured: name of the MCP server or agent, without white space.",
        "value": "A finite number. For a histogram the observations since the report before:"
        " counts[i] of them lie above bounds[i-1] up to bounds[i], the last count is above all"
        " bounds, sum and count are of all.",
        "ts": "When it was measured: RFC 3339 with its offset or epoch seconds, at most 5 minutes"
        " ahead; the server's time where it is left out.",
        "labels": "What tells the series of a metric apart, at most 32 names with short texts,"
        ' such as {"region": "eu"}.',
        "type": "gauge: a level, such as a queue depth (taken where it is left out). counter: a"
        " total that grows and may start again at 0. histogram: counted observations. A metric"
        " keeps the type of its first sample.",
        "unit": "Unit of the value, such as seconds, bytes or EUR.",
    },
)
NARROW = "Widen step, shorten from..to, or narrow with source and labels."


def tools(context: Context, clock: Clock) -> list[OperationTool]:
    """ingest_metric, ingest_metrics, query_metrics."""

    async def ingest_metric(
        *,
        name: Annotated[Any, field_schema(ITEM, "name")],
        source: Annotated[Any, field_schema(ITEM, "source")],
        value: Annotated[Any, field_schema(ITEM, "value")],
        ts: Annotated[Any, field_schema(ITEM, "ts")] = None,
        labels: Annotated[Any, field_schema(ITEM, "labels")] = None,
        type_: Annotated[Any, field_schema(ITEM, "type"), named("type")] = None,
        unit: Annotated[Any, field_schema(ITEM, "unit")] = None,
        idempotency_key: IdempotencyKey = None,
    ) -> bytes:
        """Store one measured value of a metric: a latency, a queue depth, a total of requests.

        Use it for technical numbers that change over time. For a business event, such as a sale,
        use ingest_fact; for many values at once ingest_metrics.

        Example: {"name": "queue_depth", "source": "orders-mcp", "value": 3,
        "labels": {"region": "eu"}}

        The answer is a receipt, and what it counts as accepted is committed: query_agg sees it at
        once. The same series and ts again is a duplicate and stores nothing; with another value
        it is a conflict, kept apart and not counted. Without ts every call is a new sample.
        """
        item = item_document(
            name=name, source=source, value=value, ts=ts, labels=labels, type=type_, unit=unit
        )
        return await metrics.ingest_metrics(
            context, item, idempotency_key=idempotency_key, now=clock()
        )

    async def ingest_metrics(
        *,
        items: Annotated[list[Any], batch_schema(ITEM)],
        partial: Partial = False,
        idempotency_key: IdempotencyKey = None,
    ) -> bytes:
        """Store up to 10,000 measured values in one transaction.

        Use it for more than one value: it is far cheaper than calls of ingest_metric.

        Example: {"items": [{"name": "queue_depth", "source": "orders-mcp", "value": 3},
        {"name": "queue_depth", "source": "billing-mcp", "value": 5}]}

        The answer is a receipt, and what it counts as accepted is committed. A bad item refuses
        the batch, and the error names every bad item by its index in params.items; mend those and
        send the batch again, or send partial: true. Items that were stored before are counted as
        duplicate, so a batch whose items have ts can be repeated without harm.
        """
        await report(0, len(items), "storing")
        receipt = await metrics.ingest_metrics(
            context,
            document(items),
            partial=partial,
            idempotency_key=idempotency_key,
            now=clock(),
        )
        await report(len(items), len(items), "committed")
        return receipt

    async def query_metrics(
        *,
        name: Annotated[
            str, described("Exact name of the metric, or a kind of fact; list_kinds names them.")
        ],
        source: Source = None,
        labels: Annotated[
            dict[str, str] | None,
            described(
                'Only series with these labels, such as {"region": "eu"}.',
                {"type": "object", "additionalProperties": {"type": "string"}},
            ),
        ] = None,
        start: Annotated[
            str | float | None,
            described("Start of the range; 24 hours before `to` where it is left out.", INSTANT),
            named("from"),
        ] = None,
        end: Annotated[
            str | float | None,
            described("End of the range, not included; now where it is left out.", INSTANT),
            named("to"),
        ] = None,
        step: Annotated[
            str | None,
            described(
                "Distance of the points: 30s, 5m, 1h, 1d. Left out: the finest that gives at most"
                " 300 points.",
                {"type": "string", "pattern": "^[1-9][0-9]{0,3}[smhd]$"},
            ),
        ] = None,
    ) -> bytes:
        """The course of a metric over time, as points of equal distance for every series.

        Use it to see when something changed, to draw a chart, or to compare the shape of sources.
        For one number over a window use query_agg, which is far smaller.

        Example: {"name": "queue_depth", "source": "orders-mcp", "from": "2026-03-01T00:00:00Z",
        "to": "2026-03-02T00:00:00Z", "step": "1h"}

        The answer has one entry in series for every source and combination of labels. Its points
        are arrays with the columns named in columns: ts, count, avg, min, max, last,
        rate_per_second. A step without samples has count 0 and nulls. What is too long for one
        answer is refused: widen step, shorten the range, or narrow with source and labels.
        """
        query = SeriesQuery.read(
            name=name, source=source, labels=labels, start=start, end=end, step=step
        )
        return bounded(await metrics.query_metrics(context, query, clock()), NARROW)

    return [
        OperationTool.storing(ingest_metric, "Store a metric value", Receipt),
        OperationTool.storing(ingest_metrics, "Store metric values", Receipt),
        OperationTool.reading(query_metrics, "Read the course of a metric", SeriesResult),
    ]
