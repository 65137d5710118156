"""GET /query/kinds."""

from __future__ import annotations

from falcon.asgi import Request, Response

from supervisor_mcp.operations.kinds import KindPage, KindQuery, list_kinds
from supervisor_mcp.rest.operation import JSON, Operation, ReadResource, send_json


class KindsResource(ReadResource):
    """The catalogue, by name."""

    path = "/query/kinds"
    operation = Operation("list_kinds", "List kinds", KindQuery, {JSON: KindPage})

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with a page."""
        send_json(resp, await list_kinds(self._context, self.operation.read(req)))
