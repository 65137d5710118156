"""supervisor-mcp restatements: what late and changed samples have changed."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.hints import none_match
from supervisor_mcp.cli.parameters import From, Json, Limit, To, complete_kind
from supervisor_mcp.cli.quantities import moment
from supervisor_mcp.cli.tables import table

COLUMNS = ("kind", "from", "to", "reason", "late", "restated", "count", "sum")
# Those that a narrow terminal has no room for, the least important first.
SPARE = ("restated", "late", "to", "reason")


def restatements(
    kind: Annotated[
        str | None,
        typer.Argument(
            help="Only this kind.",
            metavar="[KIND]",
            autocompletion=complete_kind,
        ),
    ] = None,
    from_: From = None,
    to: To = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List figures that were restated, and why.

    With --json, they have count, sum, min and max, before and after.
    """
    import msgspec

    from supervisor_mcp.cli.client import connect

    filters = {"kind": kind, "from": from_, "to": to}
    with connect() as client:
        answer = client.get("/query/restatements", {**filters, "limit": limit})
    if as_json:
        console.echo(answer)
        return
    result = msgspec.json.decode(answer)
    rows = [_row(each) for each in result["items"]]
    table("Restatements", COLUMNS, rows, whole=("kind",), spare=SPARE, framed=False)
    if not rows:
        narrowed = any(filters.values())
        console.say(
            none_match("restatements", "restatements")
            if narrowed
            else "Nothing that was rolled up has changed since."
        )
    if result["next_cursor"] is not None:
        console.say("There are more. Raise --limit, or narrow the list, for example with --to.")


def _row(each: dict[str, Any]) -> list[object]:
    before, after = each["before"], each["after"]
    return [
        each["kind"],
        moment(each["from"]),
        moment(each["to"]),
        each["reason"].replace("_", " "),
        each["late_samples"],
        moment(each["restated_at"]),
        *(f"{_shown(before[name])} -> {_shown(after[name])}" for name in ("count", "sum")),
    ]


def _shown(value: float | None) -> str:
    return "-" if value is None else str(value)
