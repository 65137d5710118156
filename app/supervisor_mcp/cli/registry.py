"""supervisor-mcp servers: the registry."""

from __future__ import annotations

from typing import Annotated

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.hints import none_match
from supervisor_mcp.cli.parameters import Json, Limit, Tag
from supervisor_mcp.cli.quantities import age
from supervisor_mcp.cli.tables import table

FACTS = ("name", "version", "status", "health")


def servers(
    status: Annotated[
        str | None,
        typer.Option(help="active, deprecated, deleted or deregistered; else all but the last."),
    ] = None,
    health: Annotated[
        str | None, typer.Option(help="up, degraded, down, unknown or maintenance.")
    ] = None,
    tag: Tag = None,
    query: Annotated[
        str | None,
        typer.Option("--query", "-q", help="Part of the name, the title or the description."),
    ] = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List MCP servers: version, health, last seen."""
    import msgspec

    from supervisor_mcp.cli.client import connect

    filters = {"status": status, "health": health, "tag": tag, "q": query}
    with connect() as client:
        answer = client.get("/registry/servers", {**filters, "limit": limit})
    if as_json:
        console.echo(answer)
        return
    result = msgspec.json.decode(answer)
    rows = [
        [
            *(item[name] for name in FACTS),
            age(item["last_seen"]),
            item["tier"],
            ", ".join(item["tags"]),
        ]
        for item in result["items"]
    ]
    table("Servers", (*FACTS, "last_seen", "tier", "tags"), rows, framed=False)
    if not rows:
        console.say(
            none_match("servers", "servers")
            if any(filters.values())
            else "There are no servers yet. Register some with"
            f" `{console.command()} register FILE`."
        )
    if result["next_cursor"] is not None:
        console.say("There are more. Raise --limit, or narrow the list with --tag or -q.")
