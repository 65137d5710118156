"""supervisor-mcp subscriptions: who is notified of alerts and facts."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from supervisor_mcp.cli import console, matchers
from supervisor_mcp.cli.failure import USAGE, Failure
from supervisor_mcp.cli.parameters import Author, Json, Limit, Subscription, author_of
from supervisor_mcp.cli.quantities import age, moment
from supervisor_mcp.cli.tables import table

COLUMNS = ("name", "type", "url", "alerts", "facts", "state", "pending", "failed", "delivered")
# Those that a narrow terminal has no room for, the least important first.
SPARE = ("delivered", "type", "facts", "state")
# What waits for what, in the order of the document.
DURATIONS = ("group_wait", "group_interval", "repeat_interval")
SECRET_BYTES = 200


class Type(StrEnum):
    """How a subscriber is notified."""

    WEBHOOK = "webhook"
    ALERTMANAGER = "alertmanager"


subscriptions = typer.Typer(
    name="subscriptions",
    help="List, show and change who is notified of alerts and facts.",
    rich_markup_mode=None,
)


@subscriptions.callback(invoke_without_command=True)
def list_subscriptions(
    context: typer.Context,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List subscriptions: what is to be sent, and what was given up; the commands below do more."""
    import msgspec

    from supervisor_mcp.cli.client import connect

    if context.invoked_subcommand is not None:
        return
    with connect() as client:
        answer = client.get("/subscriptions", {"limit": limit})
    if as_json:
        console.echo(answer)
        return
    result = msgspec.json.decode(answer)
    rows = [
        [
            item["name"],
            item["type"],
            item["url"],
            _alerts(item["alerts"]),
            _facts(item["facts"]),
            _state(item),
            item["pending"],
            item["failed"],
            age(item["delivered_at"]),
        ]
        for item in result["items"]
    ]
    table("Subscriptions", COLUMNS, rows, spare=SPARE, framed=False)
    for item in result["items"]:
        if item["error"]:
            console.say(f"{item['name']}: {item['error']}")
    if not rows:
        console.say(
            f"There are no subscriptions yet. Add one with `{console.command()} subscriptions add`."
        )
    if result["next_cursor"] is not None:
        console.say("There are more. Raise --limit.")


@subscriptions.command("show")
def show_subscription(name: Subscription, as_json: Json = False) -> None:
    """Show a subscription: what it is about, and whether it gets what it should."""
    from urllib.parse import quote

    import msgspec

    from supervisor_mcp.cli.client import connect

    with connect() as client:
        answer = client.get(f"/subscriptions/{quote(name, safe='')}")
    if as_json:
        console.echo(answer)
        return
    item = msgspec.json.decode(answer)
    alerts = item["alerts"] or {}
    facts = {
        **{member: item[member] for member in ("name", "type", "url", "author")},
        "state": _state(item),
        "alerts": _alerts(item["alerts"]),
        "group_by": ", ".join(alerts.get("group_by", ())),
        **{member: alerts.get(member) for member in DURATIONS},
        "facts": _facts(item["facts"]),
        "created": moment(item["created_at"]),
        "updated": moment(item["updated_at"]),
        "pending": item["pending"],
        "failed": item["failed"],
        "delivered": age(item["delivered_at"]),
        "error": item["error"],
    }
    rows = [[key, value] for key, value in facts.items() if value not in (None, "")]
    table(item["name"], ("field", "value"), rows, framed=False)


@subscriptions.command("add")
def subscribe(
    name: Annotated[
        str,
        typer.Argument(help="Your name for it; the same one replaces it.", metavar="NAME"),
    ],
    url: Annotated[
        str,
        typer.Argument(
            help="Where requests go; of an Alertmanager, its start page.", metavar="URL"
        ),
    ],
    type_: Annotated[Type, typer.Option("--type", help="How it is notified.")] = Type.WEBHOOK,
    alerts: Annotated[bool, typer.Option("--alerts", help="Notify of all alerts.")] = False,
    matcher: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MATCHER",
            help="Notify of alerts whose labels match: severity=critical; repeatable.",
        ),
    ] = None,
    group_by: Annotated[
        list[str] | None,
        typer.Option(metavar="LABEL", help="Alerts with equal labels go together; repeatable."),
    ] = None,
    group_wait: Annotated[
        str | None, typer.Option(help="Wait of the first alert of a group for others: 30s.")
    ] = None,
    group_interval: Annotated[
        str | None, typer.Option(help="Time between two requests about a group: 5m.")
    ] = None,
    repeat_interval: Annotated[
        str | None, typer.Option(help="Time until an alert that still fires is repeated: 4h.")
    ] = None,
    facts: Annotated[bool, typer.Option("--facts", help="Notify of all facts.")] = False,
    kind: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND", help="Notify of facts of this kind; repeatable."),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(metavar="SOURCE", help="Notify of facts of this source; repeatable."),
    ] = None,
    secret_file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="File with the key of the signatures, - for standard input; one is made if left"
            " out.",
        ),
    ] = None,
    disabled: Annotated[bool, typer.Option("--disabled", help="Notify of nothing.")] = False,
    author: Author = None,
    as_json: Json = False,
) -> None:
    """Subscribe to alerts, facts or both, or replace a subscription.

    A new webhook gets a secret, which is printed once.
    """
    from urllib.parse import quote

    import msgspec

    from supervisor_mcp.cli.client import connect

    durations = dict(zip(DURATIONS, (group_wait, group_interval, repeat_interval), strict=True))
    wanted = _given(
        matchers=[matchers.read(each) for each in matcher or ()], group_by=group_by, **durations
    )
    filters = _given(kinds=kind, sources=source)
    if not (alerts or wanted or facts or filters):
        raise Failure(
            "Neither alerts nor facts are asked for.",
            USAGE,
            hint="Add --alerts or --matcher, --facts or --kind.",
        )
    members = {
        "author": author_of(author),
        "url": url,
        "type": type_,
        "secret": _secret(secret_file),
        "alerts": wanted if alerts or wanted else None,
        "facts": filters if facts or filters else None,
        "enabled": not disabled,
    }
    with connect() as client:
        answer = client.write("PUT", f"/subscriptions/{quote(name, safe='')}", members)
    if as_json:
        console.echo(answer)
        return
    stored = msgspec.json.decode(answer)
    console.write(f"{stored['name']} is {stored['outcome']}\n")
    if stored["secret"] is not None and secret_file is None:
        console.write(f"secret {stored['secret']}\n")
        console.say("Keep the secret: it is not shown again.")
    if stored["hint"]:
        console.say(stored["hint"])


@subscriptions.command("remove")
def unsubscribe(name: Subscription, as_json: Json = False) -> None:
    """Remove a subscription, with what it has not been sent yet."""
    from urllib.parse import quote

    from supervisor_mcp.cli.client import accepted, connect

    with connect() as client:
        response = client.send("DELETE", f"/subscriptions/{quote(name, safe='')}")
        answer = accepted(response).content
    if as_json:
        console.echo(answer)
        return
    console.write(f"{name} is removed\n")


def _given(**members: Any) -> dict[str, Any]:
    """The members that have a value."""
    return {name: value for name, value in members.items() if value}


def _secret(file: str | None) -> str | None:
    """The key in a file: on the command line, every process of the machine could read it."""
    if file is None:
        return None
    try:
        if file == "-":
            return sys.stdin.read(SECRET_BYTES).strip()
        with Path(file).open(encoding="utf-8") as opened:
            return opened.read(SECRET_BYTES).strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Failure(f"{file} cannot be read: {reason}.", USAGE) from error


def _state(item: dict[str, Any]) -> str:
    return "enabled" if item["enabled"] else "disabled"


def _alerts(alerts: dict[str, Any] | None) -> str | None:
    return None if alerts is None else matchers.shown(alerts["matchers"]) or "all"


def _facts(facts: dict[str, Any] | None) -> str | None:
    if facts is None:
        return None
    kinds = ", ".join(facts.get("kinds", ()))
    sources = ", ".join(facts.get("sources", ()))
    return " from ".join(filter(None, (kinds or "all", sources)))
