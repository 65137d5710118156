"""supervisor-mcp deregister: the end of a registration."""

from __future__ import annotations

from typing import Annotated

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.parameters import Json, Server
from supervisor_mcp.cli.quantities import moment


def deregister(
    name: Server,
    owner: Annotated[str | None, typer.Option(help="Owner of the entry, where it has one.")] = None,
    as_json: Json = False,
) -> None:
    """End the registration of a server.

    Its versions, health and facts stay; registering it again continues them.
    """
    from urllib.parse import quote

    import msgspec

    from supervisor_mcp.cli.client import accepted, connect

    with connect() as client:
        answer = accepted(
            client.send(
                "DELETE",
                f"/registry/servers/{quote(name, safe='')}",
                params={"owner": owner} if owner else None,
            )
        ).content
    if as_json:
        console.echo(answer)
        return
    ended = msgspec.json.decode(answer)
    console.write(f"{ended['name']} deregistered at {moment(ended['deregistered_at'])}\n")
    console.say(
        "Its versions, health and facts stay. To restore it, register it again with"
        f" `{console.command()} register FILE`."
    )
