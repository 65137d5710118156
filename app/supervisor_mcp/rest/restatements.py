"""GET /query/restatements."""

from __future__ import annotations

from falcon.asgi import Request, Response

from supervisor_mcp.operations.restatements import (
    RestatementPage,
    RestatementQuery,
    list_restatements,
)
from supervisor_mcp.rest.operation import JSON, Operation, ReadResource, send_json


class RestatementsResource(ReadResource):
    """What late samples have changed, the newest first."""

    path = "/query/restatements"
    operation = Operation(
        "list_restatements",
        "List what late samples have changed",
        RestatementQuery,
        {JSON: RestatementPage},
        problems=(404,),
    )

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with a page."""
        send_json(resp, await list_restatements(self._context, self.operation.read(req)))
