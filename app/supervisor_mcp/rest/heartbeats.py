"""POST /registry/heartbeats, and POST /registry/servers/{name}/heartbeat."""

from __future__ import annotations

from falcon.asgi import Request, Response

from supervisor_mcp.operations.heartbeats import (
    Heartbeat,
    Heartbeats,
    Renewal,
    heartbeat,
    heartbeat_server,
)
from supervisor_mcp.rest.operation import JSON, Operation, Resource, send_json


class HeartbeatsResource(Resource):
    """Renews the keep-alives of many servers, as a gateway does."""

    path = "/registry/heartbeats"
    operation = Operation(
        "heartbeat",
        "Renew keep-alives",
        Heartbeats,
        {JSON: Renewal},
        method="post",
        problems=(404, 413, 415),
    )

    async def on_post(self, req: Request, resp: Response) -> None:
        """Renew the keep-alives of the names in the body."""
        query = await self.operation.read_body(req)
        send_json(resp, await heartbeat(self._context, query, self._clock()))


class HeartbeatResource(Resource):
    """Renews the keep-alive of a server."""

    path = "/registry/servers/{name}/heartbeat"
    operation = Operation(
        "heartbeat_server",
        "Renew the keep-alive of a server",
        Heartbeat,
        {JSON: Renewal},
        method="post",
        problems=(404,),
    )

    async def on_post(self, req: Request, resp: Response) -> None:
        """Renew the keep-alive; a body is not read."""
        query = self.operation.read(req)
        send_json(resp, await heartbeat_server(self._context, query, self._clock()))
