"""supervisor-mcp health: how servers are, and what each signal says of them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.hints import none_match
from supervisor_mcp.cli.parameters import Json, Limit, Tag, complete_server
from supervisor_mcp.cli.quantities import age, heading, moment, seconds
from supervisor_mcp.cli.tables import table

FACTS = ("server", "status")
KEPT_APART = ("keepalive", "probe", "traffic", "report", "disagreement")
SIGNALS = ("signal", "status", "since", "last_at", "latency_ms", "detail")


def health(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A server, with its signals and outages; all servers when absent.",
            metavar="NAME",
            autocompletion=complete_server,
        ),
    ] = None,
    status: Annotated[
        str | None, typer.Option(help="up, degraded, down, unknown or maintenance.")
    ] = None,
    tag: Tag = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """Show the health of servers, and what each signal says.

    --status, --tag and --limit are for the list of all servers.
    """
    from urllib.parse import quote

    import msgspec

    from supervisor_mcp.cli.client import connect
    from supervisor_mcp.cli.failure import USAGE, Failure

    filters = {"status": status, "tag": tag}
    if name is not None and any(filters.values()):
        raise Failure("NAME is combined with a filter.", USAGE, hint="Leave out one of them.")
    with connect() as client:
        if name is None:
            answer = client.get("/health/servers", {**filters, "limit": limit})
        else:
            answer = client.get(f"/health/servers/{quote(name, safe='')}")
    if as_json:
        console.echo(answer)
    elif name is None:
        _show_all(msgspec.json.decode(answer), filtered=any(filters.values()))
    else:
        _show_one(msgspec.json.decode(answer))


def _show_all(result: dict[str, Any], *, filtered: bool) -> None:
    rows = [
        [
            *(item[name] for name in FACTS),
            age(item["since"]),
            *(item[name] for name in KEPT_APART),
        ]
        for item in result["items"]
    ]
    table("Health", (*FACTS, "since", *KEPT_APART), rows, framed=False)
    if not rows:
        console.say(
            none_match("servers", "health")
            if filtered
            else "There are no servers yet. Register some with"
            f" `{console.command()} register FILE`."
        )
    if result["next_cursor"] is not None:
        console.say("There are more. Raise --limit, or narrow the list with --status or --tag.")


def _show_one(found: dict[str, Any]) -> None:
    maintenance = found["maintenance"]
    facts = {
        "status": found["status"],
        "since": moment(found["since"]),
        "maintenance": window_words(maintenance["now"]),
        "next_maintenance": window_words(maintenance["next"]),
    }
    rows = [[key, value] for key, value in facts.items() if value is not None]
    table(found["server"], ("field", "value"), rows, framed=False)
    show_signals(found)
    show_outages(found)


def window_words(window: dict[str, Any] | None) -> str | None:
    """A maintenance window in words."""
    if window is None:
        return None
    span = f"{moment(window['from'])} to {moment(window['to'])}"
    return f"{window['id']}, {span}: {window['reason']} ({window['author']})"


def show_signals(health: dict[str, Any], further: str = "") -> None:
    """What each signal says; `further` is what else could give the first report."""
    rows = [
        [
            signal["signal"],
            signal["status"],
            age(signal["since"]),
            age(signal["last_at"]),
            signal["latency_ms"],
            signal["detail"],
        ]
        for signal in health["signals"]
    ]
    console.write("\n")
    table("Signals", SIGNALS, rows, framed=False)
    if not any(signal["last_at"] for signal in health["signals"]):
        console.say(f"Nothing was reported yet: {reporting(health['server'])}{further}.")
    if health["disagreement"]:
        console.write(f"{health['disagreement']}\n")


def show_outages(health: dict[str, Any]) -> None:
    """The last outages."""
    rows = [
        [
            moment(outage["from"]),
            moment(outage["to"]),
            seconds(outage["seconds"]),
            "; ".join(outage["reasons"]),
        ]
        for outage in health["outages"]
    ]
    console.write("\n")
    columns = ("from", "to", heading("duration", "seconds"), "reasons")
    table("Last outages", columns, rows, framed=False)
    if not rows:
        console.say("There were no outages in the last 90 days.")


def reporting(server: str) -> str:
    """How to report about a server."""
    command = console.command()
    return (
        f"send keep-alives (`{command} heartbeat {server}`) or reports"
        f" (`{command} report {server} up`)"
    )
