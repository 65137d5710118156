"""supervisor-mcp heartbeat: keep-alives of servers."""

from __future__ import annotations

from typing import Annotated

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.failure import FAILED, Failure
from supervisor_mcp.cli.parameters import Json, complete_server
from supervisor_mcp.cli.quantities import some_of


def heartbeat(
    names: Annotated[
        list[str],
        typer.Argument(help="Names of servers.", metavar="NAME", autocompletion=complete_server),
    ],
    as_json: Json = False,
) -> None:
    """Renew the keep-alives of servers, all in one call.

    Where some are not registered, the exit status is 1; the others are renewed.
    """
    import msgspec

    from supervisor_mcp.cli.client import connect

    with connect() as client:
        answer = client.send_json("POST", "/registry/heartbeats", {"names": names})
    renewal = msgspec.json.decode(answer)
    unknown = renewal["unknown"]
    if as_json:
        console.echo(answer)
    else:
        console.write(f"{renewal['renewed']} renewed, {len(unknown)} unknown\n")
        for name in unknown:
            console.say(f"{name} is not registered.")
    if unknown:
        count = renewal["renewed"] + len(unknown)
        raise Failure(
            f"{some_of(len(unknown), count, 'server')} not registered.",
            FAILED,
            hint=f"List those that are with `{console.command()} servers`.",
        )
