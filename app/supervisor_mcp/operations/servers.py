"""Servers: the registry of MCP servers and their versions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from supervisor_mcp.operations import text_rules
from supervisor_mcp.operations.arguments import Timestamp
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.query import Query

Status = Literal["active", "deprecated", "deleted"]
ServerName = Annotated[
    str,
    Meta(
        description="Exact name of the server, such as io.github.acme/search.",
        extra_json_schema=text_rules.SERVER_NAME,
    ),
]
Owner = Annotated[
    str | None,
    Meta(
        description="Owner of the entry, where it has one.",
        extra_json_schema=text_rules.OWNER,
    ),
]


class ServerQuery(Query, frozen=True):
    """Which server to return."""

    name: ServerName
    as_of: Annotated[
        Timestamp | None, Meta(description="The version of that time; now if left out.")
    ] = None


class Deregistration(Query, frozen=True):
    """Which server to deregister."""

    name: ServerName
    owner: Owner = None


class Deregistered(Struct):
    """A server that is not registered any more."""

    name: str
    deregistered_at: str


class Version(Struct):
    """A version of a server, and from when until when it was registered."""

    version: str
    from_: str = field(name="from")
    to: str | None


class Capabilities(Struct):
    """What a server offers."""

    tools: list[dict[str, Any]]
    resources: list[dict[str, Any]]
    prompts: list[dict[str, Any]]


class Server(Struct):
    """A server of the registry."""

    name: str
    local: bool
    owner: str | None
    status: Status
    tier: str | None
    tags: list[str]
    source: str | None
    keepalive_seconds: int
    failures_to_down: int
    successes_to_recover: int
    sla_target: float
    probe: bool
    registered_at: str
    updated_at: str
    deregistered_at: str | None
    version: str | None
    document: dict[str, Any] | None
    capabilities: Capabilities | None
    versions: list[Version]


async def get_server(context: Context, query: ServerQuery, now: datetime) -> bytes:
    """A `Server` as JSON. Raises `Problem`."""
    return await context.database.read_json("get_server", {**query.arguments(), "now": now})


async def deregister_server(context: Context, query: Deregistration, now: datetime) -> bytes:
    """A `Deregistered` as JSON; it is committed. Raises `Problem`."""
    return await context.database.write_json("deregister_server", {**query.arguments(), "now": now})
