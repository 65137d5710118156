"""supervisor-mcp alerts: those that are active, their history, and who takes care of them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

import typer

from supervisor_mcp.cli import console, lengths, streams
from supervisor_mcp.cli.alert import cause, show_alert
from supervisor_mcp.cli.failure import USAGE, Failure
from supervisor_mcp.cli.hints import none_match
from supervisor_mcp.cli.parameters import (
    Author,
    From,
    Json,
    Limit,
    To,
    author_of,
    complete_rule,
    complete_server,
    read_labels,
)
from supervisor_mcp.cli.quantities import elapsed, moment
from supervisor_mcp.cli.silences import list_silences, silence_alerts
from supervisor_mcp.cli.streams import Follow
from supervisor_mcp.cli.tables import table

ACTIVE = ("severity", "state", "rule", "labels", "value", "active", "ack", "suppressed", "id")
CHANGES = ("at", "severity", "rule", "from", "to", "labels", "value", "cause", "id")
# Those that a narrow terminal has no room for, the least important first.
SPARE_OF_ACTIVE = ("ack", "suppressed", "active", "value")
SPARE_OF_CHANGES = ("cause", "from", "severity", "value")
# Labels that have a column of their own.
SHOWN = {"alertname", "severity"}
# Why an alert is suppressed, and how that reads before the ids.
REASONS = {"silenced_by": "silence", "inhibited_by": "alert", "maintenance": "maintenance"}
OnlyLabels = Annotated[
    list[str] | None,
    typer.Option("--label", metavar="KEY=VALUE", help="Only alerts with this label; repeatable."),
]
OnlyRule = Annotated[
    str | None,
    typer.Option("--rule", help="Only alerts of this rule.", autocompletion=complete_rule),
]


class State(StrEnum):
    """The state of an active alert."""

    PENDING = "pending"
    FIRING = "firing"


alerts = typer.Typer(
    name="alerts",
    help="List, show, acknowledge and silence alerts.",
    rich_markup_mode=None,
)
alerts.command("show")(show_alert)
alerts.command("silence")(silence_alerts)
alerts.command("silences")(list_silences)


@alerts.callback(invoke_without_command=True)
def list_active(
    context: typer.Context,
    state: Annotated[State | None, typer.Option(help="Only alerts in this state.")] = None,
    rule: OnlyRule = None,
    server: Annotated[
        str | None,
        typer.Option(
            help="Only alerts about this server or its source.", autocompletion=complete_server
        ),
    ] = None,
    label: OnlyLabels = None,
    suppressed: Annotated[
        bool | None,
        typer.Option(
            "--suppressed/--notifying",
            help="Only alerts that notify nobody, or only the others; all if neither is given.",
        ),
    ] = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List the alerts that are pending or firing; the commands below do more."""
    import msgspec

    from supervisor_mcp.cli.client import connect

    if context.invoked_subcommand is not None:
        return
    filters = {
        "state": state,
        "rule": rule,
        "server": server,
        "suppressed": None if suppressed is None else str(suppressed).lower(),
        **_label_filters(label),
    }
    with connect() as client:
        answer = client.get("/alerts/active", {**filters, "limit": limit})
    if as_json:
        console.echo(answer)
        return
    result = msgspec.json.decode(answer)
    rows = [
        [
            item["severity"],
            item["state"],
            item["rule"],
            _rest(item["labels"]),
            item["value"],
            elapsed(item["active_at"]),
            item["ack"] and item["ack"]["author"],
            _reasons(item),
            item["id"],
        ]
        for item in result["items"]
    ]
    table("Active alerts", ACTIVE, rows, whole=("id",), spare=SPARE_OF_ACTIVE, framed=False)
    if not rows:
        console.say(
            none_match("alerts", "alerts") if any(filters.values()) else "No alert is active."
        )
    if result["hint"]:
        console.say(result["hint"])
    if result["next_cursor"] is not None:
        console.say("There are more. Raise --limit, or narrow the list, for example with --rule.")


@alerts.command("history")
def list_history(
    rule: OnlyRule = None,
    id_: Annotated[str | None, typer.Option("--id", help="Only the alert with this id.")] = None,
    label: OnlyLabels = None,
    from_: From = None,
    to: To = None,
    limit: Limit = 20,
    follow: Follow = False,
    as_json: Json = False,
) -> None:
    """List changes of the states of alerts, newest first; with --follow, print those that come."""
    import msgspec

    from supervisor_mcp.cli.client import connect

    if follow:
        streams.refuse(**{"from": from_, "to": to, "id": id_})
        wanted = {"rule": rule, **_label_filters(label)}
        streams.follow("/alerts/stream", wanted, _change, as_json=as_json)
        return
    filters = {"rule": rule, "id": id_, "from": from_, "to": to, **_label_filters(label)}
    with connect() as client:
        answer = client.get("/alerts/history", {**filters, "limit": limit})
    if as_json:
        console.echo(answer)
        return
    result = msgspec.json.decode(answer)
    rows = [_change(item) for item in result["items"]]
    table("History of alerts", CHANGES, rows, whole=("id",), spare=SPARE_OF_CHANGES, framed=False)
    if not rows:
        console.say("Nothing has changed in this time.")
    if result["hint"]:
        console.say(result["hint"])
    if result["next_cursor"] is not None:
        console.say("There are more. Raise --limit, or narrow the list, for example with --to.")


def _change(item: Mapping[str, Any]) -> list[object]:
    """The cells of a change of the state of an alert."""
    return [
        moment(item["at"]),
        item["severity"],
        item["rule"],
        item["from_state"],
        item["to_state"],
        _rest(item["labels"]),
        item["value"],
        cause(item),
        item["id"],
    ]


@alerts.command("ack")
def ack_alert(
    id_: Annotated[str, typer.Argument(help="Id of an active alert.", metavar="ID")],
    author: Author = None,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="How long from now, such as 2h, or until when (RFC 3339); until it is resolved if"
            " left out.",
        ),
    ] = None,
    note: Annotated[str | None, typer.Option(help="What is being done.")] = None,
    as_json: Json = False,
) -> None:
    """Acknowledge an alert: somebody takes care of it."""
    from urllib.parse import quote

    import msgspec

    from supervisor_mcp.cli.client import connect

    members = {"author": author_of(author), "until": lengths.time_of(until), "note": note}
    with connect() as client:
        answer = client.write("POST", f"/alerts/active/{quote(id_, safe='')}/ack", members)
    if as_json:
        console.echo(answer)
        return
    alert = msgspec.json.decode(answer)
    end = moment(alert["ack"]["until"])
    until_then = f"until {end}" if end else "until it is resolved"
    console.write(f"{alert['rule']} is acknowledged by {alert['ack']['author']} {until_then}\n")


def _label_filters(given: list[str] | None) -> Mapping[str, str]:
    labels = read_labels(given)
    for name, value in labels.items():
        if value.startswith("="):
            raise Failure(
                f'--label "{name}={value}" has the operator ==.',
                USAGE,
                hint=f"Use = for equality: --label {name}={value.lstrip('=')}.",
            )
    return {f"label.{name}": value for name, value in labels.items()}


def _rest(labels: dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in labels.items() if name not in SHOWN)


def _reasons(item: dict[str, Any]) -> str:
    """Why an alert is suppressed: `silence update-7, alert 0b2f8c0d5e6a7f19`."""
    return ", ".join(f"{word} {id_}" for name, word in REASONS.items() for id_ in item[name])
