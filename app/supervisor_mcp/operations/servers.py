"""Servers: the registry of MCP servers and their versions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from supervisor_mcp.json_text import Json
from supervisor_mcp.operations import text_rules
from supervisor_mcp.operations.arguments import Cursor, Limit, Timestamp
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.documents import SCHEMAS
from supervisor_mcp.operations.ingest import write
from supervisor_mcp.operations.json_validation import check_document
from supervisor_mcp.operations.outcome import AGAIN, known_outcome
from supervisor_mcp.operations.query import Query

DOCUMENT = SCHEMAS["server"]
Status = Literal["active", "deprecated", "deleted", "deregistered"]
Health = Literal["up", "degraded", "down", "unknown", "maintenance"]
LastSeen = Annotated[str | None, Meta(description="When a signal of it was up or degraded last.")]
ServerName = Annotated[
    str,
    Meta(
        description="Name of the server, such as io.github.acme/search.",
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


class Registration(Query, frozen=True):
    """Which server to register."""

    name: ServerName


class ToolChanges(Struct):
    """What has changed in the tools of a server, by their names."""

    added: list[str]
    removed: list[str]
    changed: list[str]
    omitted: Annotated[
        int | UnsetType, Meta(description="Names that are not listed, because there are too many.")
    ] = UNSET


class Registered(Struct):
    """What became of a registration; it is committed."""

    name: str
    local: Annotated[bool, Meta(description="Whether the name has no namespace.")]
    outcome: Annotated[
        Literal["created", "changed", "unchanged", "restored"],
        Meta(description="restored: it had been deregistered."),
    ]
    version: str
    previous_version: Annotated[
        str | None, Meta(description="Version before a change of the version or its document.")
    ]
    tools: ToolChanges
    registered_at: str
    updated_at: str


class ServerQuery(Query, frozen=True):
    """Which server to return."""

    name: ServerName
    as_of: Annotated[
        Timestamp | None, Meta(description="The version of that time; now if left out.")
    ] = None


class ServerListQuery(Query, frozen=True):
    """Which servers to list."""

    status: Annotated[
        Status | None,
        Meta(description="Only these; all but deregistered ones if left out."),
    ] = None
    health: Annotated[
        Health | None, Meta(description="Only servers whose health has this status now.")
    ] = None
    tag: Annotated[str | None, Meta(description="Only servers with this tag.")] = None
    q: Annotated[
        str | None, Meta(description="Part of the name, the title or the description.")
    ] = None
    limit: Limit = None
    cursor: Cursor = None


class ListedServer(Struct):
    """A server in a list."""

    name: str
    title: str | None
    description: str | None
    version: str | None
    status: Status
    health: Annotated[Health | None, Meta(description="null when deregistered.")]
    last_seen: LastSeen
    tier: str | None
    tags: list[str]
    owner: str | None
    source: str | None


class ServerPage(Struct):
    """Servers by name; next_cursor is null on the last page."""

    items: list[ListedServer]
    next_cursor: str | None


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


class ServerHealth(Struct):
    """The present health of a server, as get_health says it in full."""

    status: Health
    since: str | None
    last_seen: LastSeen


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
    health: Annotated[ServerHealth | None, Meta(description="null when deregistered.")]
    version: str | None
    document: dict[str, Any] | None
    capabilities: Capabilities | None
    versions: list[Version]


async def register_server(
    context: Context, query: Registration, document: bytes, now: datetime
) -> bytes:
    """A `Registered` as JSON; it is committed. Raises `Problem`."""
    await check_document(document)
    arguments = {**query.arguments(), "document": Json(document), "now": now}
    answer = await write(context, "register_server", arguments, "it is registered", AGAIN)
    return bytes(answer)


async def list_servers(context: Context, query: ServerListQuery, now: datetime) -> bytes:
    """A `ServerPage` as JSON. Raises `Problem`."""
    return await context.reads.read_json("list_servers", {**query.arguments(), "now": now})


async def get_server(context: Context, query: ServerQuery, now: datetime) -> bytes:
    """A `Server` as JSON. Raises `Problem`."""
    return await context.reads.read_json("get_server", {**query.arguments(), "now": now})


async def deregister_server(context: Context, query: Deregistration, now: datetime) -> bytes:
    """A `Deregistered` as JSON; it is committed. Raises `Problem`."""
    arguments = {**query.arguments(), "now": now}
    with known_outcome("the registration has ended"):
        return await context.database.write_json("deregister_server", arguments)
