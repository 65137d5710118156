"""supervisor-mcp facts: business events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from supervisor_mcp.cli import console, streams
from supervisor_mcp.cli.hints import for_command_line, none_match
from supervisor_mcp.cli.parameters import FactKind, From, Json, Limit, Source, To
from supervisor_mcp.cli.streams import Follow
from supervisor_mcp.cli.tables import table

COLUMNS = ("ts", "kind", "source", "subject", "value", "payload")


def facts(
    kind: FactKind = None,
    source: Source = None,
    subject: Annotated[str | None, typer.Option(help="Only this subject.")] = None,
    from_: From = None,
    to: To = None,
    limit: Limit = 20,
    follow: Follow = False,
    as_json: Json = False,
) -> None:
    """List facts, newest first, or follow those that come."""
    import msgspec

    from supervisor_mcp.cli.client import connect

    if follow:
        streams.refuse(**{"from": from_, "to": to})
        filters = {"kind": kind, "source": source, "subject": subject}
        streams.follow("/facts/stream", filters, _cells, as_json=as_json)
        return
    wanted = {"kind": kind, "source": source, "subject": subject, "from": from_, "to": to}
    with connect() as client:
        answer = client.get("/query/facts", {**wanted, "limit": limit})
    if as_json:
        console.echo(answer)
        return
    result = msgspec.json.decode(answer)
    table("Facts", COLUMNS, [_cells(item) for item in result["items"]])
    if "hint" in result:
        console.say(for_command_line(result["hint"], "kind"))
    elif not result["items"]:
        console.say(
            none_match("facts", "facts") if any(wanted.values()) else "There are no facts yet."
        )
    if result["next_cursor"] is not None:
        console.say("There are more. Raise --limit, or narrow the list, for example with --to.")


def _cells(item: Mapping[str, Any]) -> list[object]:
    return [item[name] for name in COLUMNS]
