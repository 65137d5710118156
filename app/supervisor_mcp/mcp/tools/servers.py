"""Tools of the registry of servers."""

from __future__ import annotations

from supervisor_mcp.mcp.answers import bounded
from supervisor_mcp.mcp.tool import REMOVING, OperationTool
from supervisor_mcp.operations import servers
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.servers import Deregistered, Deregistration, Server, ServerQuery

NARROW = "Read the document with GET /registry/servers/{name}."


def tools(context: Context, clock: Clock) -> list[OperationTool]:
    """get_server, deregister_server."""

    async def get_server(query: ServerQuery) -> bytes:
        """One server of the registry: what it is, where it runs, which versions it had.

        Example: {"name": "io.github.acme/search"}

        The answer has the server.json of the version in document, its tools, resources and prompts
        in capabilities, and all versions with their times, newest first.
        """
        return bounded(await servers.get_server(context, query, clock()), NARROW)

    async def deregister_server(query: Deregistration) -> bytes:
        """End the registration of a server that is gone for good; its history stays.

        Example: {"name": "io.github.acme/search"}

        The answer says since when it is not registered.
        """
        return await servers.deregister_server(context, query, clock())

    return [
        OperationTool.asking(get_server, ServerQuery, "Get a server", Server),
        OperationTool.asking(
            deregister_server, Deregistration, "Deregister a server", Deregistered, hints=REMOVING
        ),
    ]
