"""supervisor-mcp snapshots: all kinds over a window, frozen under a name."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.parameters import Json, Limit
from supervisor_mcp.cli.quantities import moment
from supervisor_mcp.cli.tables import table

PATH = "/query/snapshots"
COLUMNS = ("name", "window", "from", "to", "kinds", "bytes", "sha256", "author")
# Those that a narrow terminal has no room for, the least important first.
SPARE = ("bytes", "author", "from", "kinds")

snapshots = typer.Typer(
    name="snapshots", help="List, freeze and read snapshots.", rich_markup_mode=None
)
Name = Annotated[str, typer.Argument(help="Name of the snapshot.", metavar="NAME")]


@snapshots.callback(invoke_without_command=True)
def list_snapshots(context: typer.Context, limit: Limit = 100, as_json: Json = False) -> None:
    """List snapshots, the newest first; the commands below freeze and read one."""
    import msgspec

    from supervisor_mcp.cli.client import connect

    if context.invoked_subcommand is not None:
        return
    with connect() as client:
        answer = client.get(PATH, {"limit": limit})
    if as_json:
        console.echo(answer)
        return
    result = msgspec.json.decode(answer)
    rows = map(_row, result["items"])
    table("Snapshots", COLUMNS, rows, whole=("name",), spare=SPARE, framed=False)
    if not result["items"]:
        console.say(
            "There are no snapshots yet. Freeze one with"
            f" `{console.command()} snapshots create NAME --author WHO`."
        )
    if result["next_cursor"] is not None:
        console.say("There are more. Raise --limit.")


@snapshots.command()
def create(
    name: Name,
    author: Annotated[str, typer.Option(help="Who freezes it.")],
    window: Annotated[
        str, typer.Option(help="How far back from now: hours or days, such as 24h or 30d.")
    ] = "7d",
    as_json: Json = False,
) -> None:
    """Freeze the statistics of all kinds over a window, for ever."""
    import msgspec

    from supervisor_mcp.cli.client import connect

    with connect() as client:
        answer = client.send_json("POST", PATH, {"name": name, "author": author, "window": window})
    if as_json:
        console.echo(answer)
        return
    result = msgspec.json.decode(answer)
    rows = list(zip(COLUMNS, _row(result), strict=True))[1:]
    table(result["name"], ("field", "value"), rows, framed=False)


@snapshots.command()
def show(name: Name) -> None:
    """Print the content of a snapshot: the bytes of which sha256 is the hash."""
    from urllib.parse import quote

    from supervisor_mcp.cli.client import connect

    with connect() as client:
        content = client.get(f"{PATH}/{quote(name, safe='')}")
    if console.is_terminal():
        console.echo(content)
    else:
        console.write(content.decode())


def _row(each: dict[str, Any]) -> list[object]:
    shown = {**each, "from": moment(each["from"]), "to": moment(each["to"])}
    return [shown[column] for column in COLUMNS]
