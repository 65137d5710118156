"""GET /query/metrics and POST /ingest/metrics."""

from __future__ import annotations

from falcon.asgi import Request, Response

from supervisor_mcp.operations.ingest import IngestOptions
from supervisor_mcp.operations.metrics import (
    MetricItem,
    SeriesQuery,
    SeriesResult,
    ingest_metrics,
    query_metrics,
)
from supervisor_mcp.rest.ingest import IngestResource, ingest_operation
from supervisor_mcp.rest.operation import JSON, Operation, ReadResource, send_json


class SeriesResource(ReadResource):
    """The points of series, gaps filled."""

    path = "/query/metrics"
    operation = Operation(
        "query_metrics",
        "Points of the series of a metric",
        SeriesQuery,
        {JSON: SeriesResult},
        problems=(404,),
    )

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with the series that have the labels."""
        query = self.operation.read(req)
        send_json(resp, await query_metrics(self._context, query, self._clock()))


class IngestMetricsResource(IngestResource):
    """Stores metric items."""

    path = "/ingest/metrics"
    operation = ingest_operation("ingest_metrics", "Store metrics", MetricItem)

    async def store(self, document: bytes, options: IngestOptions) -> bytes:
        """Store metric items."""
        return await ingest_metrics(self._context, document, options, self._clock())
