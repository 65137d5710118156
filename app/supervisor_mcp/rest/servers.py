"""GET /registry/servers, and PUT, GET and DELETE /registry/servers/{name}."""

from __future__ import annotations

from falcon.asgi import Request, Response

from supervisor_mcp.operations.servers import (
    DOCUMENT,
    Deregistered,
    Deregistration,
    Registered,
    Registration,
    Server,
    ServerListQuery,
    ServerPage,
    ServerQuery,
    deregister_server,
    get_server,
    list_servers,
    register_server,
)
from supervisor_mcp.rest.bodies import read_document
from supervisor_mcp.rest.operation import JSON, Operation, ReadResource, Resource, send_json

# A name contains at most one slash; it may come as it is or as %2F.
SERVER = "/registry/servers/{name}"


class ServersResource(ReadResource):
    """The registry, by name."""

    path = "/registry/servers"
    operation = Operation("list_servers", "List servers", ServerListQuery, {JSON: ServerPage})

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with a page."""
        query = self.operation.read(req)
        send_json(resp, await list_servers(self._context, query, self._clock()))


class RegisterServerResource(Resource):
    """Registers a server, or changes its entry."""

    path = SERVER
    operation = Operation(
        "register_server",
        "Register a server",
        Registration,
        {JSON: Registered},
        method="put",
        document=DOCUMENT,
        problems=(409, 413, 415, 429),
    )

    async def on_put(self, req: Request, resp: Response) -> None:
        """Register the server of the document."""
        query = self.operation.read(req)
        document = await read_document(req)
        send_json(resp, await register_server(self._context, query, document, self._clock()))


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
