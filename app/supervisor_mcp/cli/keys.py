"""supervisor-mcp keys: what clients prove with who they are."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any

import typer

from supervisor_mcp.cli import console, lengths
from supervisor_mcp.cli.failure import USAGE, Failure
from supervisor_mcp.cli.hints import none_match
from supervisor_mcp.cli.parameters import Json, Key, Limit
from supervisor_mcp.cli.quantities import age, moment
from supervisor_mcp.cli.tables import table

COLUMNS = (
    *("id", "owner", "status", "scopes", "sources", "namespace"),
    *("created", "created_by", "ends", "used", "reason"),
)
# Those that a narrow terminal has no room for, the least important first.
SPARE = ("created_by", "created", "namespace", "reason", "sources", "used")


class Scope(StrEnum):
    """What a key may be used for."""

    READ = "read"
    INGEST = "ingest"
    ADMIN = "admin"


ExpiresIn = Annotated[
    str | None, typer.Option(metavar="LENGTH", help="How long it is valid from now: 12h, 90d.")
]
ExpiresAt = Annotated[
    str | None,
    typer.Option(metavar="RFC3339", help="Until when it is valid, instead of --expires-in."),
]

KEY = re.compile(r"(?:sk_)?([a-z0-9]{8})(?:_.*)?")

keys = typer.Typer(
    name="keys", help="List, create, revoke and rotate API keys.", rich_markup_mode=None
)


@keys.command("list")
@keys.callback(invoke_without_command=True)
def list_keys(
    context: typer.Context,
    owner: Annotated[str | None, typer.Option(help="Only keys of this owner.")] = None,
    active: Annotated[
        bool | None,
        typer.Option(
            "--active/--inactive", help="Only those that are valid, or those that are not."
        ),
    ] = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List API keys: who may do what, until when; the commands below do more."""
    import msgspec

    from supervisor_mcp.cli.client import connect

    if context.invoked_subcommand is not None:
        return
    wanted = None if active is None else str(active).lower()
    with connect() as client:
        answer = client.get("/access/keys", {"owner": owner, "active": wanted, "limit": limit})
    if as_json:
        console.echo(answer)
        return
    result = msgspec.json.decode(answer)
    rows = map(_row, result["items"])
    table("Keys", COLUMNS, rows, whole=("id",), spare=SPARE, framed=False)
    if not result["items"]:
        console.say(
            none_match("keys", "keys list")
            if owner is not None or wanted
            else "There are no keys yet. Create one with"
            f" `{console.command()} keys create OWNER --scope read`."
        )
    if result["next_cursor"] is not None:
        console.say("There are more. Raise --limit, or narrow the list with --owner or --active.")


@keys.command("create")
def create_key(
    owner: Annotated[
        str, typer.Argument(help="Who gets it: a person, a team, an agent.", metavar="OWNER")
    ],
    scope: Annotated[
        list[Scope],
        typer.Option(help="What it may be used for; repeatable. admin includes the others."),
    ],
    source: Annotated[
        list[str] | None,
        typer.Option(metavar="SOURCE", help="Ingest as this source alone; repeatable."),
    ] = None,
    namespace: Annotated[
        str | None, typer.Option(help="What it sees and writes; your own if left out.")
    ] = None,
    expires_in: ExpiresIn = None,
    expires_at: ExpiresAt = None,
    as_json: Json = False,
) -> None:
    """Create an API key, and print it: it is not shown again.

    Standard output gets the key alone.
    """
    import msgspec

    from supervisor_mcp.cli.client import connect

    members = {
        "owner": owner,
        "scopes": scope,
        "sources": source or None,
        "namespace": namespace,
        "expires_at": _end(expires_in, expires_at),
    }
    with connect() as client:
        answer = client.write("POST", "/access/keys", members)
    if as_json:
        console.echo(answer)
        return
    _show_key(msgspec.json.decode(answer), "created")


@keys.command("revoke")
def revoke_key(
    key: Key,
    reason: Annotated[str | None, typer.Option(help="Why; it is kept.")] = None,
    as_json: Json = False,
) -> None:
    """Revoke an API key, for good: within a second, no service accepts it."""
    from urllib.parse import quote

    import msgspec

    from supervisor_mcp.cli.client import accepted, connect

    params = {"reason": reason} if reason is not None else {}
    key = _id(key)
    with connect() as client:
        response = client.send("DELETE", f"/access/keys/{quote(key, safe='')}", params=params)
        answer = accepted(response).content
    if as_json:
        console.echo(answer)
        return
    revoked = msgspec.json.decode(answer)
    if revoked["outcome"] == "revoked":
        console.write(f"{key} of {revoked['owner']} is revoked\n")
    else:
        console.write(f"{key} was revoked before, {moment(revoked['revoked_at'])}\n")


@keys.command("rotate")
def rotate_key(
    key: Key,
    grace: Annotated[
        str | None,
        typer.Option(
            metavar="LENGTH",
            help="How long the old key stays valid: 30m, 24h, at most 7d; not at all if left out.",
        ),
    ] = None,
    expires_in: ExpiresIn = None,
    expires_at: ExpiresAt = None,
    as_json: Json = False,
) -> None:
    """Replace an API key by a new one that may do the same, and print it.

    Standard output gets the new key alone. It expires when the old one would have, unless given.
    """
    from urllib.parse import quote

    import msgspec

    from supervisor_mcp.cli.client import connect

    members = {"grace": grace, "expires_at": _end(expires_in, expires_at)}
    key = _id(key)
    with connect() as client:
        answer = client.write("POST", f"/access/keys/{quote(key, safe='')}/rotation", members)
    if as_json:
        console.echo(answer)
        return
    rotated = msgspec.json.decode(answer)
    _show_key(rotated, "created")
    ends = moment(rotated["rotated_from_ends_at"]) if grace else None
    console.say(f"{key} is valid until {ends}." if ends else f"{key} is not valid any more.")


def _id(given: str) -> str:
    """The id of a key that may be given as a whole: its secret belongs into no URL."""
    found = KEY.fullmatch(given)
    return found[1] if found else given


def _show_key(key: dict[str, Any], outcome: str) -> None:
    """Print a key; what is about it goes to standard error, so that a script gets the key alone."""
    console.write(f"{key['key']}\n")
    until = f", until {moment(key['expires_at'])}" if key["expires_at"] else ""
    console.say(
        f"{key['id']} of {key['owner']} is {outcome} for {', '.join(key['scopes'])}{until}."
        " Keep the key: it is not shown again."
    )


def _end(length: str | None, at: str | None) -> str | None:
    """When a key ends, from its length or as it is given."""
    if length is None:
        return at
    end = lengths.from_now(length)
    if at is not None or end is None:
        problem = (
            "--expires-in and --expires-at are both given."
            if end
            else f'--expires-in "{length}" is no length.'
        )
        raise Failure(problem, USAGE, hint="Send either --expires-in 90d, or --expires-at RFC3339.")
    return end


def _row(key: dict[str, Any]) -> list[object]:
    return [
        key["id"],
        key["owner"],
        key["status"],
        " ".join(key["scopes"]),
        " ".join(key["sources"] or ()),
        key["namespace"],
        moment(key["created_at"]),
        key["created_by"],
        moment(key["revoked_at"] or key["expires_at"]),
        age(key["last_used_at"]),
        key["reason"],
    ]
