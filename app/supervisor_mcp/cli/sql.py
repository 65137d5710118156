"""supervisor-mcp sql: a question in SQL."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.failure import Failure
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
    try:
        with connect() as client:
            answer = client.write("POST", "/query/sql", {"sql": text, "limit": limit})
    except Failure as failure:
        raise _placed(failure, text) from None
    if as_json:
        console.echo(answer)
        return
    result = msgspec.json.decode(answer)
    table("Rows", result["columns"], result["rows"])
    if not result["rows"]:
        console.say("There are no rows.")
    if result["truncated"]:
        console.say("There are more. Raise --limit, or select less.")


def _placed(failure: Failure, statement: str) -> Failure:
    """The failure with the line and column of its position in the statement."""
    position = ((failure.problem or {}).get("params") or {}).get("position")
    if position is None:
        return failure
    before = statement[: position - 1]
    line, column = before.count("\n") + 1, position - 1 - before.rfind("\n")
    return Failure(
        f"{failure.detail} (line {line}, column {column})",
        failure.status,
        hint=failure.hint,
        problem=failure.problem,
    )
