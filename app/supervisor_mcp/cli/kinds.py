"""supervisor-mcp kinds: the catalogue."""

from __future__ import annotations

from typing import Annotated

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.hints import none_match
from supervisor_mcp.cli.parameters import Json, Limit
from supervisor_mcp.cli.tables import table

COLUMNS = ("kind", "type", "unit", "sources", "series")


def kinds(
    type_: Annotated[
        str | None, typer.Option("--type", help="gauge, counter, histogram or fact.")
    ] = None,
    prefix: Annotated[str | None, typer.Option(help="Only names that start with this.")] = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List the kinds with their numbers of sources and series."""
    import msgspec

    from supervisor_mcp.cli.client import connect

    with connect() as client:
        answer = client.get("/query/kinds", {"type": type_, "prefix": prefix, "limit": limit})
    if as_json:
        console.echo(answer)
        return
    result = msgspec.json.decode(answer)
    table("Kinds", COLUMNS, [[item[name] for name in COLUMNS] for item in result["items"]])
    if not result["items"]:
        console.say(none_match("kinds", "kinds") if type_ or prefix else "There are no kinds yet.")
    if result["next_cursor"] is not None:
        console.say("There are more. Raise --limit, or narrow the list with --prefix or --type.")
