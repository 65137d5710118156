"""GET and DELETE /registry/servers/{name}."""

from __future__ import annotations

from falcon.asgi import Request, Response

from supervisor_mcp.operations.servers import (
    Deregistered,
    Deregistration,
    Server,
    ServerQuery,
    deregister_server,
    get_server,
)
from supervisor_mcp.rest.operation import JSON, Operation, ReadResource, Resource, send_json

# A name contains at most one slash; it may come as it is or as %2F.
SERVER = "/registry/servers/{name}"


class ServerResource(ReadResource):
    """An entry of the registry."""

    path = SERVER
    operation = Operation(
        "get_server", "A server and its versions", ServerQuery, {JSON: Server}, problems=(404,)
    )

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with the server."""
        query = self.operation.read(req)
        send_json(resp, await get_server(self._context, query, self._clock()))


class DeregisterServerResource(Resource):
    """Ends a registration."""

    path = SERVER
    operation = Operation(
        "deregister_server",
        "End the registration of a server",
        Deregistration,
        {JSON: Deregistered},
        method="delete",
        problems=(404, 409),
    )

    async def on_delete(self, req: Request, resp: Response) -> None:
        """Deregister the server."""
        query = self.operation.read(req)
        send_json(resp, await deregister_server(self._context, query, self._clock()))
