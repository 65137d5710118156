"""supervisor-mcp policies: how long rows are kept, and what else is tuned."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.parameters import Json
from supervisor_mcp.cli.quantities import counted, moment
from supervisor_mcp.cli.tables import table

COLUMNS = ("policy", "name", "value", "shipped")
CHUNK_COLUMNS = ("from", "to", "rows", "bytes", "pinned by")

policies = typer.Typer(
    name="policies", help="List, set and plan retention and quotas.", rich_markup_mode=None
)


class Kind(StrEnum):
    """What can be tuned."""

    RETENTION = "retention"
    COLUMNSTORE = "columnstore"
    REFRESH = "refresh"
    QUOTA = "quota"


Name = Annotated[
    str, typer.Argument(help="A name of the list, such as data.sample.", metavar="NAME")
]


@policies.callback(invoke_without_command=True)
def list_policies(
    context: typer.Context,
    policy: Annotated[Kind | None, typer.Option(help="Only these.")] = None,
    as_json: Json = False,
) -> None:
    """List, set and plan retention, columnstore, refresh and quotas.

    Without a command, lists them.
    """
    import msgspec

    from supervisor_mcp.cli.client import connect

    if context.invoked_subcommand is not None:
        return
    with connect() as client:
        answer = client.get("/admin/policies", {"policy": policy})
    if as_json:
        console.echo(answer)
        return
    items = msgspec.json.decode(answer)["items"]
    table("Policies", COLUMNS, [[item[name] for name in COLUMNS] for item in items], framed=False)


@policies.command("set")
def set_policy(
    policy: Annotated[Kind, typer.Argument(help="Which kind of policy.", metavar="POLICY")],
    name: Name,
    value: Annotated[
        str,
        typer.Argument(help='A length of time, such as "90 days"; of a quota, a number.'),
    ],
    as_json: Json = False,
) -> None:
    """Set a policy: retention, columnstore, refresh or quota.

    What rollups, windows and alert rules need is not dropped: such a retention is refused.
    """
    from urllib.parse import quote

    import msgspec

    from supervisor_mcp.cli.client import connect

    path = f"/admin/policies/{policy}/{quote(name, safe='')}"
    with connect() as client:
        answer = client.write("PUT", path, {"value": value})
    if as_json:
        console.echo(answer)
        return
    result = msgspec.json.decode(answer)
    table(result["name"], ("field", "value"), list(result.items()), framed=False)
    if not result["changed"]:
        console.say("Nothing has changed.")


@policies.command("plan")
def plan_retention(
    name: Name,
    drop_after: Annotated[
        str | None,
        typer.Argument(help='A length of time, such as "90 days"; as it is, if absent.'),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what a retention would drop, and what does not allow it. Changes nothing."""
    from urllib.parse import quote

    import msgspec

    from supervisor_mcp.cli.client import connect

    path = f"/admin/policies/retention/{quote(name, safe='')}/plan"
    with connect() as client:
        answer = client.get(path, {"drop_after": drop_after})
    if as_json:
        console.echo(answer)
        return
    result = msgspec.json.decode(answer)
    rows = [_row(chunk) for chunk in result["chunks"]]
    table(f"Chunks of {name} that expire", CHUNK_COLUMNS, rows, framed=False)
    drops = result["drops"]
    console.say(
        f"After {result['drop_after']}, {counted(drops['chunks'], 'chunk')} with about"
        f" {counted(drops['rows'], 'row')} and {counted(drops['bytes'], 'byte')}"
        f" {'goes' if drops['chunks'] == 1 else 'go'}."
    )
    for need in result["refused"]:
        console.say(f"Refused: {need['needed_by']} needs the rows. {need['reason']}")


def _row(chunk: dict[str, Any]) -> list[object]:
    pinned = ", ".join(f"{pin['id']} ({pin['source']})" for pin in chunk["pinned_by"] or [])
    return [moment(chunk["from"]), moment(chunk["to"]), chunk["rows"], chunk["bytes"], pinned]
