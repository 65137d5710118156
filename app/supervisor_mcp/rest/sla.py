"""GET /health/sla."""

from __future__ import annotations

from falcon.asgi import Request, Response

from supervisor_mcp.operations.sla import SlaPage, SlaQuery, query_sla
from supervisor_mcp.rest.operation import JSON, Operation, ReadResource, send_json


class SlaResource(ReadResource):
    """Uptime, outages and error budget of servers."""

    path = "/health/sla"
    operation = Operation("query_sla", "SLA of servers", SlaQuery, {JSON: SlaPage}, problems=(404,))

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with a page."""
        query = self.operation.read(req)
        send_json(resp, await query_sla(self._context, query, self._clock()))
