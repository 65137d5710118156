"""supervisor-mcp facts: business events."""

from __future__ import annotations

from typing import Annotated

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.parameters import FactKind, From, Json, Limit, Source, To
from supervisor_mcp.cli.tables import table

COLUMNS = ("ts", "kind", "source", "subject", "value", "payload")


def facts(
    kind: FactKind = None,
    source: Source = None,
    subject: Annotated[str | None, typer.Option(help="Only this subject.")] = None,
    from_: From = None,
    to: To = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List facts, newest first."""
    import msgspec

    from supervisor_mcp.cli.client import connect

    with connect() as client:
        answer = client.get(
            "/query/facts",
            {
                "kind": kind,
                "source": source,
                "subject": subject,
                "from": from_,
                "to": to,
                "limit": limit,
            },
        )
    if as_json:
        console.echo(answer)
        return
    result = msgspec.json.decode(answer)
    table("Facts", COLUMNS, [[_cell(item[name]) for name in COLUMNS] for item in result["items"]])
    if not result["items"]:
        console.say("No facts match.")
    if result["next_cursor"] is not None:
        console.say("There are more. Raise --limit, or narrow the list, for example with --to.")


def _cell(value: object) -> object:
    import msgspec

    return msgspec.json.encode(value).decode() if isinstance(value, dict) else value
