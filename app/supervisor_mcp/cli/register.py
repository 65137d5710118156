"""supervisor-mcp register: MCP servers from a file into the registry."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.documents import put, refusal_lines, say_all
from supervisor_mcp.cli.failure import FAILED, Failure
from supervisor_mcp.cli.parameters import Owner, Tags
from supervisor_mcp.cli.quantities import some_of

OUTCOMES = ("created", "changed", "unchanged")


def register(
    file: Annotated[
        str,
        typer.Argument(
            help="A server.json, an array of them, or one a line; - is standard input.",
            metavar="FILE",
        ),
    ],
    owner: Owner = None,
    tag: Tags = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Register MCP servers, or change them.

    Files of the official MCP registry are read in the present shape and in older ones, which are
    converted. Registering the same file again changes nothing. Refused servers are listed, and
    the exit status is 1; the others are registered.
    """
    from urllib.parse import quote

    import msgspec

    from supervisor_mcp.cli import progress
    from supervisor_mcp.cli.client import connect
    from supervisor_mcp.cli.document_files import read, shown
    from supervisor_mcp.cli.server_documents import modern

    added = {**({"owner": owner} if owner else {}), **({"tags": tag} if tag else {})}
    outcomes = dict.fromkeys(OUTCOMES, 0)
    remarks: list[dict[str, str]] = []
    refused: list[dict[str, Any]] = []
    entries = list(read(file))
    with connect() as client, progress.bar(shown(file), len(entries), "servers") as done:
        for entry in entries:
            done(1)
            if entry.document is None:
                refused.append({"place": entry.place, "detail": entry.fault})
                continue
            name = entry.document.get("name")
            if not isinstance(name, str) or not name:
                refused.append({"place": entry.place, "detail": "It has no name."})
                continue
            document, found = modern(entry.document)
            remarks += [{"name": name, "remark": remark} for remark in found]
            path = f"/registry/servers/{quote(name, safe='')}"
            outcome = put(client, path, {**document, **added})
            if isinstance(outcome, str):
                outcomes[outcome] = outcomes.get(outcome, 0) + 1
            else:
                refused.append({"place": entry.place, "name": name, **outcome})
    if as_json:
        summary = {**outcomes, "refused": refused, "remarks": remarks}
        console.echo(msgspec.json.encode(summary))
    else:
        say_all([f"{each['name']}: {each['remark']}." for each in remarks], "remarks")
        say_all([refusal_lines(each) for each in refused], "refused servers")
        counts = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
        console.write(f"{counts}, {len(refused)} refused\n")
        if sum(outcomes.values()):
            console.say(f"List them with `{console.command()} servers`.")
    if refused:
        count = len(refused) + sum(outcomes.values())
        raise Failure(
            f"{some_of(len(refused), count, 'server')} not registered.",
            FAILED,
            hint="Correct them and run the command again: what is registered does not change.",
        )
