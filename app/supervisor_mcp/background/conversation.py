"""What an MCP client says to a remote: `server/discover` or `initialize`, then `tools/list`."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Literal

import httpx2
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import Implementation

from supervisor_mcp.background.wire import Limits, Wire

Tools = list[dict[str, Any]]

# How many pages of a list of tools are read.
PAGES = 50
CLIENT = Implementation(name="supervisor-mcp", version=version("supervisor-mcp"))


@dataclass(frozen=True, slots=True)
class Remote:
    """An address of a server, and the transport that it speaks."""

    type: Literal["streamable-http", "sse"]
    url: str


class Conversation:
    """One conversation, and how far it has come."""

    def __init__(self, remote: Remote, wire: Wire, limits: Limits) -> None:
        self._remote = remote
        self._limits = limits
        self.wire = wire
        # What the server was asked last.
        self.request = "initialize" if remote.type == "sse" else "server/discover and initialize"
        # The version of the protocol, once the server has greeted.
        self.protocol: str | None = None
        # None where the server offers none, or more than are read.
        self.tools: Tools | None = None
        # When the last answer had come.
        self.ended: float | None = None

    async def hold(self) -> None:
        """Greet the server and list its tools. Raises what the client library does."""
        async with Client(
            self._transport(),
            mode="legacy" if self._remote.type == "sse" else "auto",
            client_info=CLIENT,
            cache=None,
        ) as client:
            self.protocol = client.protocol_version
            if client.server_capabilities.tools is not None:
                self.request = "tools/list"
                self.tools = await _list_tools(client)
            self.ended = time.perf_counter()
            # How a server takes the end of a session says nothing.
            self.wire.settled = None

    @asynccontextmanager
    async def _transport(self) -> AsyncIterator[Any]:
        if self._remote.type == "sse":
            async with sse_client(self._remote.url, httpx_client_factory=self._http) as streams:
                yield streams
        else:
            async with (
                self._http() as http,
                streamable_http_client(self._remote.url, http_client=http) as streams,
            ):
                yield streams

    def _http(
        self,
        headers: dict[str, str] | None = None,
        timeout: httpx2.Timeout | None = None,
        auth: httpx2.Auth | None = None,
    ) -> httpx2.AsyncClient:
        """A client without cookies and proxies; the arguments are what the library passes."""
        return httpx2.AsyncClient(
            transport=self.wire,
            # How long an answer may take is a limit of the whole conversation.
            timeout=httpx2.Timeout(None, connect=self._limits.connect_seconds),
            headers={"Accept-Encoding": "identity"},
            trust_env=False,
        )


async def _list_tools(client: Client) -> Tools | None:
    """Names and input schemas of all tools; None where the list does not end."""
    tools: Tools = []
    cursor: str | None = None
    for _ in range(PAGES):
        page = await client.list_tools(cursor=cursor)
        tools += [{"name": tool.name, "inputSchema": tool.input_schema} for tool in page.tools]
        cursor = page.next_cursor
        if cursor is None:
            return tools
    return None
