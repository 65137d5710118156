"""supervisor-mcp report: what somebody observed of a server."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.escape import printable
from supervisor_mcp.cli.failure import Failure
from supervisor_mcp.cli.hints import for_command_line
from supervisor_mcp.cli.parameters import Json, Server

# A conflict is not possible: other content is another report.
OUTCOMES = ("accepted", "duplicate", "late")
NOTES = {
    "duplicate": "The same report is stored already.",
    "late": "It is older than the newest report, so the health does not change.",
}


class Status(StrEnum):
    """What can be observed."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"


def report(
    name: Server,
    status: Annotated[
        Status, typer.Argument(help="up, degraded or down.", metavar="STATUS", show_choices=False)
    ],
    latency_ms: Annotated[
        float | None, typer.Option(metavar="MS", help="Response time, in milliseconds.")
    ] = None,
    detail: Annotated[str | None, typer.Option(help="Why.")] = None,
    reporter: Annotated[str | None, typer.Option(help="Who observed it.")] = None,
    ts: Annotated[
        str | None, typer.Option(metavar="RFC3339", help="When it was observed; now if absent.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Report the health of a server, as it was observed.

    How many reports in a row change the status is part of the entry of the server.
    """
    import msgspec

    from supervisor_mcp.cli.client import connect

    given = {"latency_ms": latency_ms, "detail": detail, "reporter": reporter, "ts": ts}
    item = {
        "server": name,
        "status": status.value,
        **{field: value for field, value in given.items() if value is not None},
    }
    with connect() as client:
        try:
            answer = client.send_json("POST", "/health/reports", item)
        except Failure as failure:
            raise _of_the_item(failure) from failure
    if as_json:
        console.echo(answer)
        return
    receipt = msgspec.json.decode(answer)
    console.write(", ".join(f"{receipt[each]} {each}" for each in OUTCOMES) + "\n")
    for outcome, note in NOTES.items():
        if receipt[outcome]:
            console.say(note)
    console.say(f"`{console.command()} health {name}` shows what follows.")


def _of_the_item(failure: Failure) -> Failure:
    """A refusal of the batch as one of its only item, whose faults have the next step."""
    items: list[dict[str, Any]] = (failure.problem or {}).get("params", {}).get("items", [])
    if not items:
        return failure
    faults = " ".join(printable(for_command_line(each["detail"], each["field"])) for each in items)
    return Failure(faults, failure.status, problem=failure.problem)
