"""POST /health/reports, and GET /health/servers and /health/servers/{name}."""

from __future__ import annotations

from falcon.asgi import Request, Response

from supervisor_mcp.operations.ingest import IngestOptions
from supervisor_mcp.operations.server_health import (
    Health,
    HealthListQuery,
    HealthPage,
    HealthQuery,
    ReportItem,
    get_health,
    list_health,
    report_health,
)
from supervisor_mcp.rest.ingest import IngestResource, ingest_operation
from supervisor_mcp.rest.operation import JSON, Operation, ReadResource, send_json


class ReportsResource(IngestResource):
    """Stores reports of health."""

    path = "/health/reports"
    operation = ingest_operation("report_health", "Report the health of servers", ReportItem)

    async def store(self, document: bytes, options: IngestOptions) -> bytes:
        """Store reports."""
        return await report_health(self._context, document, options, self._clock())


class HealthListResource(ReadResource):
    """The health of all servers in short."""

    path = "/health/servers"
    operation = Operation("list_health", "Health of servers", HealthListQuery, {JSON: HealthPage})

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with a page."""
        query = self.operation.read(req)
        send_json(resp, await list_health(self._context, query, self._clock()))


class HealthResource(ReadResource):
    """The health of a server."""

    path = "/health/servers/{name}"
    operation = Operation(
        "get_health", "Health of a server", HealthQuery, {JSON: Health}, problems=(404,)
    )

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with the health of the server."""
        query = self.operation.read(req)
        send_json(resp, await get_health(self._context, query, self._clock()))
