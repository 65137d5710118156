"""supervisor-mcp maintenance: time in which servers are not expected to work."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.failure import USAGE, Failure
from supervisor_mcp.cli.hints import none_match
from supervisor_mcp.cli.lengths import time_of
from supervisor_mcp.cli.parameters import Json, Limit, complete_maintenance, complete_server
from supervisor_mcp.cli.quantities import moment
from supervisor_mcp.cli.tables import table

COLUMNS = ("id", "status", "from", "to", "servers", "author", "reason")

maintenance = typer.Typer(rich_markup_mode=None)
Id = Annotated[
    str,
    typer.Argument(
        help="Your name for the window.", metavar="ID", autocompletion=complete_maintenance
    ),
]
Author = Annotated[str, typer.Option(help="Who plans or cancels it.")]
Reason = Annotated[str, typer.Option(help="Why.")]


@maintenance.callback(invoke_without_command=True)
def list_windows(
    context: typer.Context,
    server: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Only windows of this server.", autocompletion=complete_server
        ),
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="TIME",
            help="Only windows that end later (RFC 3339, or from now: 2h); now if absent.",
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Only windows that start earlier (RFC 3339, or from now: 7d)."
        ),
    ] = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List, plan and cancel maintenance windows.

    Without a command, lists those that have not ended.
    """
    import msgspec

    from supervisor_mcp.cli.client import connect

    asked = {"name": server, "from": time_of(from_), "to": time_of(to)}
    if context.invoked_subcommand is not None:
        if as_json or any(asked.values()):
            raise Failure(
                f'Options of the list are combined with "{context.invoked_subcommand}".',
                USAGE,
                hint=f"Write the options of {context.invoked_subcommand} behind it.",
            )
        return
    with connect() as client:
        answer = client.get("/health/maintenance", {**asked, "limit": limit})
    if as_json:
        console.echo(answer)
        return
    result = msgspec.json.decode(answer)
    table("Maintenance", COLUMNS, [_row(window) for window in result["items"]], framed=False)
    if not result["items"]:
        console.say(
            none_match("windows", "maintenance")
            if any(asked.values())
            else "No maintenance is planned or active. Plan a window with"
            f" `{console.command()} maintenance plan ID --to 2h --author WHO --reason WHY`."
        )
    if result["next_cursor"] is not None:
        console.say("There are more. Raise --limit, or narrow the list with --server or --to.")


@maintenance.command()
def plan(
    window: Id,
    author: Author,
    reason: Reason,
    to: Annotated[
        str,
        typer.Option(
            metavar="TIME", help="End: how long from now, such as 2h, or a time (RFC 3339)."
        ),
    ],
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="TIME",
            help="Start, written as the end is; as before, or now, if absent. May be in the past.",
        ),
    ] = None,
    server: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A server; repeatable. A window that exists keeps its own if absent.",
            autocompletion=complete_server,
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Plan a maintenance window, or change one.

    A change of time that has passed restates the SLA of the servers.
    """
    planned = {"servers": server, "from": time_of(from_), "to": time_of(to)}
    _put(window, {"author": author, "reason": reason, **planned}, as_json)


@maintenance.command()
def cancel(window: Id, author: Author, reason: Reason, as_json: Json = False) -> None:
    """Take a maintenance window back, as if it had never been.

    To end one early instead, plan it again with an earlier --to.
    """
    _put(window, {"author": author, "reason": reason, "cancelled": True}, as_json)


def _put(window: str, content: dict[str, Any], as_json: bool) -> None:
    from urllib.parse import quote

    import msgspec

    from supervisor_mcp.cli.client import connect

    given = {name: value for name, value in content.items() if value is not None}
    with connect() as client:
        answer = client.send_json("PUT", f"/health/maintenance/{quote(window, safe='')}", given)
    if as_json:
        console.echo(answer)
        return
    result = msgspec.json.decode(answer)
    rows = list(zip(COLUMNS, _row(result), strict=True))[1:]
    if result["cancelled_by"] is not None:
        rows.append(("cancelled by", result["cancelled_by"]))
        rows.append(("cancel reason", result["cancelled_reason"]))
    rows.append(("restated", result["restated"]))
    table(result["id"], ("field", "value"), rows, framed=False)
    if not result["changed"]:
        console.say("Nothing has changed.")
    count = result["restated"]
    if count:
        first = result["servers"][0]
        restated = f"{count} {'server is' if count == 1 else 'servers are'} restated"
        console.say(
            f"Time that has passed has changed: {restated}."
            f" `{console.command()} sla {first}` lists the restatements of one."
        )


def _row(window: dict[str, Any]) -> list[object]:
    shown = {
        **window,
        "from": moment(window["from"]),
        "to": moment(window["to"]),
        "servers": " ".join(window["servers"]),
    }
    return [shown[name] for name in COLUMNS]
