"""supervisor-mcp audit: who changed what."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.hints import none_match
from supervisor_mcp.cli.parameters import From, Json, Limit, To
from supervisor_mcp.cli.quantities import moment
from supervisor_mcp.cli.tables import table

COLUMNS = ("number", "at", "actor", "action", "type", "name", "changed")
# Those that a narrow terminal has no room for, the least important first.
SPARE = ("number", "changed", "type")


def audit(
    actor: Annotated[str | None, typer.Option(help="Only by this identity.")] = None,
    action: Annotated[str | None, typer.Option(help="Only this: insert, update or delete.")] = None,
    object_type: Annotated[
        str | None, typer.Option(help="Only objects of this type, such as alert_rule.")
    ] = None,
    object_name: Annotated[
        str | None, typer.Option(help="Only objects of this name or id.")
    ] = None,
    from_: From = None,
    to: To = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List who changed what, the newest first.

    With --json, an event has the values before and after it.
    """
    import msgspec

    from supervisor_mcp.cli.client import connect

    filters = {
        "actor": actor,
        "action": action,
        "object_type": object_type,
        "object_name": object_name,
        "from": from_,
        "to": to,
    }
    with connect() as client:
        answer = client.get("/access/audit", {**filters, "limit": limit})
    if as_json:
        console.echo(answer)
        return
    result = msgspec.json.decode(answer)
    rows = [_row(event) for event in result["items"]]
    table("Audit", COLUMNS, rows, whole=("name",), spare=SPARE, framed=False)
    if not rows:
        narrowed = any(filters.values())
        console.say(none_match("events", "audit") if narrowed else "Nothing has been changed yet.")
    if result["next_cursor"] is not None:
        console.say("There are more. Raise --limit, or narrow the list, for example with --to.")


def _row(event: dict[str, Any]) -> list[object]:
    return [
        event["number"],
        moment(event["at"]),
        event["actor"],
        event["action"],
        event["object_type"],
        event["object_name"],
        ", ".join(event["changes"]),
    ]
