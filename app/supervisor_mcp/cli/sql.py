"""supervisor-mcp sql: a question in SQL."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.parameters import Json, Limit
from supervisor_mcp.cli.tables import table


def sql(
    statement: Annotated[
        str, typer.Argument(help="One SELECT on the views of analytics; - reads standard input.")
    ],
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """Ask in SQL, as an analyst."""
    import msgspec

    from supervisor_mcp.cli.client import connect

    text = sys.stdin.read() if statement == "-" else statement
    with connect() as client:
        answer = client.write("POST", "/query/sql", {"sql": text, "limit": limit})
    if as_json:
        console.echo(answer)
        return
    result = msgspec.json.decode(answer)
    table("Rows", result["columns"], result["rows"])
    if not result["rows"]:
        console.say("There are no rows.")
    if result["truncated"]:
        console.say("There are more. Raise --limit, or select less.")
