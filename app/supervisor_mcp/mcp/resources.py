"""Resources: answers at a URI, for clients that attach rather than call."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastmcp import FastMCP

from supervisor_mcp.errors import Problem, internal
from supervisor_mcp.mcp.answers import bounded
from supervisor_mcp.mcp.problems import current_request_id, protocol_error
from supervisor_mcp.operations.aggregates import AggregateQuery, query_agg
from supervisor_mcp.operations.alerts import ActiveAlertQuery, list_active_alerts
from supervisor_mcp.operations.arguments import LARGEST_PAGE
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.kinds import KindQuery, list_kinds
from supervisor_mcp.operations.scopes import require
from supervisor_mcp.operations.servers import (
    ServerListQuery,
    ServerQuery,
    get_server,
    list_servers,
)
from supervisor_mcp.operations.sql import describe_schema

logger = logging.getLogger(__name__)

JSON = "application/json"
KINDS = "supervisor://kinds"
AGGREGATE = "supervisor://agg/{kind}/{window}"
SERVERS = "supervisor://servers"
SERVER = "supervisor://servers/{name}"
SCHEMA = "supervisor://schema"
ACTIVE_ALERTS = "supervisor://alerts/active"


def register(server: FastMCP, context: Context, clock: Clock) -> None:
    """Add the resources."""

    @server.resource(KINDS, name="kinds", title="Kinds", mime_type=JSON)
    async def kinds() -> str:
        """The first 1,000 kinds by name, as list_kinds returns them."""
        async with as_protocol_error(KINDS):
            query = KindQuery(limit=LARGEST_PAGE)
            answer = await list_kinds(context, query)
            return bounded(answer, "Call list_kinds with a prefix or a limit.").decode()

    # A kind is looked up in the database, never in a file system: .. and / in it are harmless.
    @server.resource(AGGREGATE, name="agg", title="Aggregate", mime_type=JSON, security=None)
    async def aggregate(kind: str, window: str) -> str:
        """Numbers of a kind over a window (1h, 24h, 7d, 30d, 90d), as query_agg answers.

        Percent-encode the kind: / is %2F, as in supervisor://agg/http%2Frequests/7d.
        """
        async with as_protocol_error(AGGREGATE):
            query = AggregateQuery.read({"kind": kind, "window": window})
            answer = await query_agg(context, query, clock())
            return bounded(answer, "Call query_agg with source.").decode()

    @server.resource(SERVERS, name="servers", title="Servers", mime_type=JSON)
    async def servers() -> str:
        """The first 1,000 registered MCP servers by name, as list_servers returns them."""
        async with as_protocol_error(SERVERS):
            query = ServerListQuery(limit=LARGEST_PAGE)
            answer = await list_servers(context, query, clock())
            return bounded(answer, "Call list_servers with a filter or a limit.").decode()

    @server.resource(SERVER, name="server", title="Server", mime_type=JSON, security=None)
    async def one_server(name: str) -> str:
        """A registered MCP server, as get_server returns it.

        Percent-encode the name: supervisor://servers/io.github.acme%2Fsearch.
        """
        async with as_protocol_error(SERVER):
            query = ServerQuery.read({"name": name})
            answer = await get_server(context, query, clock())
            return bounded(answer, "Read it with GET /registry/servers/{name}.").decode()

    @server.resource(SCHEMA, name="schema", title="Schema", mime_type=JSON)
    async def schema() -> str:
        """The views, columns and functions that query_sql may use, with examples."""
        async with as_protocol_error(SCHEMA):
            return (await describe_schema(context)).decode()

    @server.resource(ACTIVE_ALERTS, name="active_alerts", title="Active alerts", mime_type=JSON)
    async def active_alerts() -> str:
        """The first 1,000 active alerts by severity, as list_active_alerts returns them."""
        async with as_protocol_error(ACTIVE_ALERTS):
            query = ActiveAlertQuery(limit=LARGEST_PAGE)
            answer = await list_active_alerts(context, query, clock())
            return bounded(answer, "Call list_active_alerts with a filter.").decode()


@asynccontextmanager
async def as_protocol_error(what: str) -> AsyncIterator[None]:
    """Let read who may, and turn a failure into a protocol error whose data is the problem."""
    try:
        require("read")
        yield
    except Problem as problem:
        raise protocol_error(problem, current_request_id()) from None
    except Exception as error:
        request_id = current_request_id()
        logger.exception("%s failed, request_id %s", what, request_id)
        raise protocol_error(internal(), request_id) from error
