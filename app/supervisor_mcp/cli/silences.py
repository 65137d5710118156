"""supervisor-mcp alerts silence and silences: time in which alerts notify nobody."""

from __future__ import annotations

from typing import Annotated

import typer

from supervisor_mcp.cli import console, lengths, matchers
from supervisor_mcp.cli.failure import USAGE, Failure
from supervisor_mcp.cli.parameters import Author, Json, Limit, author_of
from supervisor_mcp.cli.quantities import counted, moment
from supervisor_mcp.cli.tables import table

COLUMNS = ("id", "status", "matchers", "from", "to", "author", "comment")
# Those that a narrow terminal has no room for, the least important first.
SPARE = ("author", "from")


def silence_alerts(
    id_: Annotated[
        str,
        typer.Argument(help="Your name for the silence; the same one changes it.", metavar="ID"),
    ],
    wanted: Annotated[
        list[str] | None,
        typer.Argument(
            help="What labels must match, all of it: source=web, severity!=critical,"
            " 'alertname=~cpu.*' or 'region!~eu|us'. A silence that exists keeps its own.",
            metavar="MATCHER…",
        ),
    ] = None,
    length: Annotated[
        str | None, typer.Option("--for", help="How long from now: 30m, 2h, 1d.")
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="TIME",
            help="Start (RFC 3339, or from now: 2h); as before, or now, if left out.",
        ),
    ] = None,
    to: Annotated[
        str | None, typer.Option(metavar="RFC3339", help="End, instead of --for.")
    ] = None,
    comment: Annotated[str | None, typer.Option(help="Why; required, except to cancel.")] = None,
    author: Author = None,
    cancel: Annotated[bool, typer.Option("--cancel", help="End the silence now.")] = False,
    as_json: Json = False,
) -> None:
    """Silence alerts, or change or cancel a silence."""
    from urllib.parse import quote

    import msgspec

    from supervisor_mcp.cli.client import connect

    members = {
        "author": author_of(author),
        "comment": comment,
        "cancelled": cancel or None,
        "matchers": [matchers.read(given) for given in wanted] if wanted else None,
        "from": lengths.time_of(from_),
        "to": _end(length, to),
    }
    with connect() as client:
        answer = client.write("PUT", f"/alerts/silences/{quote(id_, safe='')}", members)
    if as_json:
        console.echo(answer)
        return
    silence = msgspec.json.decode(answer)
    if cancel:
        console.write(f"{silence['id']} is {silence['status']}\n")
        return
    span = f"{moment(silence['from'])} to {moment(silence['to'])}"
    matched = counted(silence["alerts"], "active alert")
    console.write(f"{silence['id']} is {silence['status']}, {span}; it matches {matched}\n")
    if silence["hint"]:
        console.say(silence["hint"])


def list_silences(
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="RFC3339", help="Those that end after this time instead."),
    ] = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List the silences that have not ended."""
    import msgspec

    from supervisor_mcp.cli.client import connect

    with connect() as client:
        answer = client.get("/alerts/silences", {"from": from_, "limit": limit})
    if as_json:
        console.echo(answer)
        return
    result = msgspec.json.decode(answer)
    rows = [
        [
            item["id"],
            item["status"],
            matchers.shown(item["matchers"]),
            moment(item["from"]),
            moment(item["to"]),
            item["author"],
            item["comment"],
        ]
        for item in result["items"]
    ]
    table("Silences", COLUMNS, rows, spare=SPARE, framed=False)
    if not rows:
        console.say("No silence matches." if from_ else "No silence is planned or active.")
    if result["next_cursor"] is not None:
        console.say("There are more. Raise --limit.")


def _end(length: str | None, to: str | None) -> str | None:
    """The end of a silence, from its length or as it is given."""
    if length is None:
        return to
    end = lengths.from_now(length)
    if to is not None or end is None:
        problem = "--for and --to are both given." if end else f'--for "{length}" is no length.'
        raise Failure(problem, USAGE, hint="Send either --for 2h, or --to RFC3339.")
    return end
