"""Tools that store samples and read series."""

from __future__ import annotations

from supervisor_mcp.mcp.answers import bounded
from supervisor_mcp.mcp.items import batch_tool, item_tool
from supervisor_mcp.mcp.tool import OperationTool
from supervisor_mcp.operations import metrics
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.metrics import MetricItem, SeriesQuery, SeriesResult

NARROW = "Increase step, shorten from..to, or narrow with source and labels."


def ingest_metric() -> None:
    """Store a value of a series, or several: a latency, a queue depth, a total of requests.

    For business events use ingest_fact; for many series ingest_metrics.

    Example: {"name": "queue_depth", "source": "orders-mcp", "value": 3, "labels": {"region": "eu"}}

    The answer is a receipt: accepted items are committed. The same series
    and ts again is a duplicate, with another value a conflict: neither counts. late items are
    older than the last rollup.
    """


def ingest_metrics() -> None:
    """Store up to 10,000 values of metrics in one transaction.

    Example: {"items": [{"name": "queue_depth", "source": "orders-mcp", "value": 3}]}

    The answer is a receipt. An error lists every broken rule by index in params.items. Items with
    ts can be sent again: they are duplicates.
    """


def tools(context: Context, clock: Clock) -> list[OperationTool]:
    """ingest_metric, ingest_metrics, query_metrics."""

    async def query_metrics(query: SeriesQuery) -> bytes:
        """The course of a metric over time: points at equal distances for every series.

        To see when something changed. For one number over a window use query_agg.

        The answer has an entry in series for every source and set of labels; its points are
        arrays in the order of columns, with count 0 and nulls where there are no samples; the rate
        of a counter spans the gaps between its readings. The default range is the last 24 hours.
        With split_by, series also have server and version: compare before and after a release.
        """
        return bounded(await metrics.query_metrics(context, query, clock()), NARROW)

    made = (MetricItem, metrics.ingest_metrics, context, clock)
    return [
        item_tool(ingest_metric, *made),
        batch_tool(ingest_metrics, *made),
        OperationTool.asking(query_metrics, SeriesQuery, SeriesResult),
    ]
