"""GET /access/audit."""

from __future__ import annotations

from falcon.asgi import Request, Response

from supervisor_mcp.operations.audit import AuditPage, AuditQuery, list_audit
from supervisor_mcp.rest.operation import JSON, Operation, ReadResource, send_json


class AuditResource(ReadResource):
    """Who changed what, the newest first."""

    path = "/access/audit"
    operation = Operation("list_audit", "List who changed what", AuditQuery, {JSON: AuditPage})

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with a page."""
        send_json(resp, await list_audit(self._context, self.operation.read(req)))
