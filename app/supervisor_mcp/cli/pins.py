"""supervisor-mcp pins: raw rows that are kept past retention."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.hints import none_match
from supervisor_mcp.cli.parameters import Json, Source
from supervisor_mcp.cli.quantities import moment
from supervisor_mcp.cli.tables import table

COLUMNS = ("id", "source", "from", "to", "reason", "author", "pinned at")

pins = typer.Typer(name="pins", help="List, add and remove pins.", rich_markup_mode=None)


@pins.callback(invoke_without_command=True)
def list_pins(context: typer.Context, source: Source = None, as_json: Json = False) -> None:
    """List, add and remove pins: ranges of time whose raw rows retention keeps.

    Without a command, lists them.
    """
    import msgspec

    from supervisor_mcp.cli.client import connect

    if context.invoked_subcommand is not None:
        return
    with connect() as client:
        answer = client.get("/admin/pins", {"source": source})
    if as_json:
        console.echo(answer)
        return
    items = msgspec.json.decode(answer)["items"]
    table("Pins", COLUMNS, map(_row, items), framed=False)
    if not items:
        console.say(none_match("pins", "pins") if source else "Nothing is pinned.")


@pins.command("add")
def pin_window(
    source: Annotated[
        str, typer.Argument(help="Source whose samples and facts are kept.", metavar="SOURCE")
    ],
    from_: Annotated[str, typer.Option("--from", metavar="RFC3339", help="Start, included.")],
    to: Annotated[str, typer.Option(metavar="RFC3339", help="End, not included.")],
    reason: Annotated[str, typer.Option(help="Why, such as the name of an incident.")],
    as_json: Json = False,
) -> None:
    """Keep the raw rows of an incident past retention."""
    from supervisor_mcp.cli.client import connect

    members = {"source": source, "from": from_, "to": to, "reason": reason}
    with connect() as client:
        _show(client.write("POST", "/admin/pins", members), as_json)


@pins.command("remove")
def unpin_window(
    pin: Annotated[int, typer.Argument(help="Number of the pin.", metavar="ID")],
    as_json: Json = False,
) -> None:
    """Remove a pin: retention drops the rows once they have expired."""
    from supervisor_mcp.cli.client import accepted, connect

    with connect() as client:
        _show(accepted(client.send("DELETE", f"/admin/pins/{pin}")).content, as_json)
    if not as_json:
        console.say("The pin is removed: retention drops the rows once they have expired.")


def _show(answer: bytes, as_json: bool) -> None:
    import msgspec

    if as_json:
        console.echo(answer)
        return
    pin = msgspec.json.decode(answer)
    rows = list(zip(COLUMNS, _row(pin), strict=True))
    table(f"Pin {pin['id']}", ("field", "value"), rows, framed=False)


def _row(pin: dict[str, Any]) -> list[object]:
    times = [moment(pin[name]) for name in ("from", "to")]
    return [
        # As it is typed to remove the pin: without a comma.
        str(pin["id"]),
        pin["source"],
        *times,
        pin["reason"],
        pin["author"],
        moment(pin["pinned_at"]),
    ]
