"""supervisor-mcp alerts show: one alert, how it is and how it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

import typer

from supervisor_mcp.cli import console, matchers
from supervisor_mcp.cli.failure import REFUSED, Failure
from supervisor_mcp.cli.parameters import Json
from supervisor_mcp.cli.quantities import moment
from supervisor_mcp.cli.tables import table

MOST_CHANGES = 10
CHANGES = ("at", "from", "to", "value", "cause")
Rows = Iterator[tuple[str, object]]
TIMES = {"active_at": "active", "fired_at": "fired", "recovering_at": "recovering"}


def show_alert(
    id_: Annotated[str, typer.Argument(help="Id of an alert, active or past.", metavar="ID")],
    as_json: Json = False,
) -> None:
    """Show an alert, what suppresses it, and its last changes.

    --json prints the answers of the service that this is made of.
    """
    from urllib.parse import quote

    import msgspec

    from supervisor_mcp.cli.client import connect

    with connect() as client:
        active = client.get("/alerts/active", {"id": id_})
        history = client.get("/alerts/history", {"id": id_, "limit": MOST_CHANGES})
        changes = msgspec.json.decode(history)["items"]
        alert = next(iter(msgspec.json.decode(active)["items"]), None)
        known = alert or next(iter(changes), None)
        if known is None:
            raise Failure(
                f'unknown alert "{id_}"',
                REFUSED,
                hint=f"`{console.command()} alerts` lists the alerts with their ids.",
            )
        rule = client.get(f"/alerts/rules/{quote(known['rule'], safe='')}", {"limit": 1})
        silences = client.get("/alerts/silences", {"limit": 1000})
    if as_json:
        parts = (active, rule, silences, history)
        console.echo(b'{"active": %s, "rule": %s, "silences": %s, "history": %s}' % parts)
        return
    rows = [
        *_state(known, alert),
        *_reading(known, msgspec.json.decode(rule)),
        *_texts(known),
        *(_suppression(alert, msgspec.json.decode(silences)["items"]) if alert else ()),
    ]
    named = [[name, value] for name, value in rows if value not in (None, "")]
    table(f"{known['rule']} {id_}", ("field", "value"), named, framed=False)
    console.write("\n")
    _show_changes(changes)


def _state(known: dict[str, Any], alert: dict[str, Any] | None) -> Rows:
    yield "id", known["id"]
    yield "rule", known["rule"]
    yield "severity", known["severity"]
    yield "state", alert["state"] if alert else known["to_state"]
    if alert:
        yield from ((name, moment(alert[member])) for member, name in TIMES.items())
        if alert["ack"]:
            yield "ack", _ack(alert["ack"])


def _reading(known: dict[str, Any], rule: dict[str, Any]) -> Rows:
    """The value, what it is compared with, and the call that shows where it comes from."""
    import msgspec

    condition = rule["document"].get("condition", {})
    yield "value", known["value"]
    if "threshold" in condition:
        yield "threshold", f"{condition['operator']} {condition['threshold']}"
    query = known["evidence"].get("query")
    if query:
        yield "query", f"{query['operation']} {msgspec.json.encode(query['arguments']).decode()}"


def _texts(known: dict[str, Any]) -> Rows:
    for member in ("labels", "annotations"):
        for name, value in sorted(known[member].items()):
            yield f"{member}.{name}", value


def _suppression(alert: dict[str, Any], silences: Iterable[dict[str, Any]]) -> Rows:
    """What keeps the alert from notifying anybody."""
    for silence in silences:
        if silence["id"] in alert["silenced_by"]:
            until = f"until {moment(silence['to'])}: {matchers.shown(silence['matchers'])}"
            said = f"{silence['comment']} ({silence['author']})"
            yield "silence", f"{silence['id']} {until}, {said}"
    yield "inhibited_by", ", ".join(alert["inhibited_by"])
    yield "maintenance", ", ".join(alert["maintenance"])


def _ack(ack: dict[str, Any]) -> str:
    until = f" until {moment(ack['until'])}" if ack["until"] else ""
    note = f": {ack['note']}" if ack["note"] else ""
    return f"{ack['author']}, {moment(ack['at'])}{until}{note}"


def cause(change: Mapping[str, Any]) -> str | None:
    """What else than a value changed the state."""
    reason: str | None = change["evidence"].get("reason")
    return reason or ("late data" if change["late"] else None)


def _show_changes(changes: Iterable[dict[str, Any]]) -> None:
    rows = [
        [
            moment(change["at"]),
            change["from_state"],
            change["to_state"],
            change["value"],
            cause(change),
        ]
        for change in changes
    ]
    table("Changes", CHANGES, rows, framed=False)
    if len(rows) == MOST_CHANGES:
        console.say(f"`{console.command()} alerts history --id ID` lists older ones.")
