"""Tools of the registry of servers."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from supervisor_mcp.mcp.answers import bounded
from supervisor_mcp.mcp.tool import REMOVING, OperationTool
from supervisor_mcp.operations import servers
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.servers import (
    DOCUMENT,
    Deregistered,
    Deregistration,
    Registered,
    Registration,
    ServerListQuery,
    ServerPage,
    ServerQuery,
)

NARROW = "Read the document with GET /registry/servers/{name}."


class Entry(Struct):
    """A server as REST describes it: what it has explains itself."""

    name: str
    version: str | None
    document: dict[str, Any] | None
    capabilities: dict[str, Any] | None
    versions: list[dict[str, Any]]


def tools(context: Context, clock: Clock) -> list[OperationTool]:
    """register_server, list_servers, get_server, deregister_server."""

    async def register_server(query: Registration, document: bytes) -> bytes:
        """Register an MCP server, or change its entry: its server.json and what it offers.

        Call it again when something changes: former versions stay.

        Example: {"name": "io.github.acme/search", "description": "Searches the shop",
        "version": "1.2.0", "source": "search-mcp",
        "remotes": [{"type": "streamable-http", "url": "https://mcp.acme.example/mcp"}],
        "capabilities": {"tools": [{"name": "search", "inputSchema": {"type": "object"}}]}}

        The answer says what has changed. capabilities and what follows the server.json (owner,
        tags, …) keep their values when left out. A name without a slash is that of a local
        server. An error lists every broken rule in params.faults.
        """
        return await servers.register_server(context, query, document, clock())

    async def list_servers(query: ServerListQuery) -> bytes:
        """The registered MCP servers with their versions, their health and when they were seen.

        To find a server by words or tags, or all that are down.

        The answer is ordered by name.
        """
        return await servers.list_servers(context, query, clock())

    async def get_server(query: ServerQuery) -> bytes:
        """One server of the registry: what it is, where it runs, which versions it had.

        The answer has the server.json of the version in document, its tools, resources and prompts
        in capabilities, and all versions with their times, newest first.
        """
        return bounded(await servers.get_server(context, query, clock()), NARROW)

    async def deregister_server(query: Deregistration) -> bytes:
        """End the registration of a server that is gone for good; its history stays.

        The answer says since when it is not registered.
        """
        return await servers.deregister_server(context, query, clock())

    return [
        OperationTool.taking(register_server, Registration, DOCUMENT, Registered),
        OperationTool.asking(list_servers, ServerListQuery, ServerPage),
        OperationTool.asking(get_server, ServerQuery, Entry),
        OperationTool.asking(deregister_server, Deregistration, Deregistered, hints=REMOVING),
    ]
