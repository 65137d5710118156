"""GET /query/changes."""

from __future__ import annotations

from falcon.asgi import Request, Response

from supervisor_mcp.operations.window_changes import ChangesQuery, WindowChanges, query_changes
from supervisor_mcp.rest.operation import JSON, Operation, ReadResource, send_json


class WindowChangesResource(ReadResource):
    """What changed most, over all kinds, sources and labels."""

    path = "/query/changes"
    operation = Operation(
        "query_changes",
        "What changed most in a window",
        ChangesQuery,
        {JSON: WindowChanges},
        problems=(404,),
    )

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with the changes, most first."""
        query = self.operation.read(req)
        send_json(resp, await query_changes(self._context, query, self._clock()))
