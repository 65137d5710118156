"""supervisor-mcp server: one MCP server, how it is and how it was."""

from __future__ import annotations

from typing import Any

from supervisor_mcp.cli import console
from supervisor_mcp.cli.parameters import Json, Server
from supervisor_mcp.cli.tables import table

DAYS = 30
WINDOW = f"{DAYS}d"
SIGNALS = ("signal", "status", "since", "last_at", "latency_ms", "detail")
VERSIONS = ("version", "from", "to")
OUTAGES = ("from", "to", "seconds", "reasons")
MOST_VERSIONS = 10
# A day by its uptime in per cent: the first mark whose bound it reaches.
BARS = ((100.0, "█", "green"), (99.0, "▇", "green"), (95.0, "▅", "yellow"), (0.0, "▂", "red"))
NOT_KNOWN = ("·", "dim")


def server(name: Server, as_json: Json = False) -> None:
    """Show an MCP server: its health by signals, its last 30 days, its versions and outages.

    Each day is a bar: full for no outage, lower for more of them, a dot where nothing is known.
    --json prints the three answers of the service that this is made of.
    """
    from urllib.parse import quote

    import msgspec

    from supervisor_mcp.cli.client import connect

    named = quote(name, safe="")
    with connect() as client:
        entry = client.get(f"/registry/servers/{named}")
        registered = msgspec.json.decode(entry)["deregistered_at"] is None
        health = client.get(f"/health/servers/{named}") if registered else b"null"
        sla = client.get("/health/sla", {"name": name, "window": WINDOW})
    if as_json:
        console.echo(b'{"server": %s, "health": %s, "sla": %s}' % (entry, health, sla))
        return
    _show_entry(msgspec.json.decode(entry))
    _show_health(msgspec.json.decode(health))
    _show_days(msgspec.json.decode(sla)["items"])
    _show_versions(msgspec.json.decode(entry)["versions"])
    _show_outages(msgspec.json.decode(health))


def _show_entry(entry: dict[str, Any]) -> None:
    document = entry["document"] or {}
    health = entry["health"]
    facts = {
        "name": entry["name"],
        "version": entry["version"],
        "description": document.get("description"),
        "status": entry["status"],
        "health": health and f"{health['status']} since {health['since']}",
        "last_seen": health and health["last_seen"],
        "owner": entry["owner"],
        "tier": entry["tier"],
        "tags": ", ".join(entry["tags"]),
        "source": entry["source"],
        "remotes": " ".join(remote["url"] for remote in document.get("remotes", ())),
        "tools": len((entry["capabilities"] or {"tools": ()})["tools"]),
    }
    rows = [[key, value] for key, value in facts.items() if value not in (None, "")]
    table(entry["name"], ("field", "value"), rows, framed=False)


def _show_health(health: dict[str, Any] | None) -> None:
    if health is None:
        return
    rows = [[signal[column] for column in SIGNALS] for signal in health["signals"]]
    console.write("\n")
    table("Signals", SIGNALS, rows)
    if not rows:
        console.say("Nothing was reported yet: send heartbeats or reports, or add remotes.")
    if health["disagreement"]:
        console.write(f"{health['disagreement']}\n")


def _show_days(items: list[dict[str, Any]]) -> None:
    from rich.text import Text

    for sla in items:
        uptime, target = sla["uptime_percent"], f"target {_percent(sla['target_percent'])}"
        if uptime is None:
            console.write(f"\nUptime of {WINDOW}: not known ({target})\n")
        else:
            console.write(
                f"\nUptime of {WINDOW}: {_percent(uptime)} ({target}),"
                f" {_percent(sla['coverage_percent'])} of the time is known,"
                f" {sla['outages']['count']} outages,"
                f" {_percent(sla['error_budget']['left_percent'])} of the error budget is left\n"
            )
        known = [day["uptime_percent"] for day in sla.get("days", ())]
        # Before its registration, there are no days.
        days = ([None] * DAYS + known)[-DAYS:]
        console.show(Text.assemble(*map(_bar, days)))


def _show_versions(versions: list[dict[str, Any]]) -> None:
    console.write("\n")
    shown = versions[:MOST_VERSIONS]
    table("Versions", VERSIONS, [[each[column] for column in VERSIONS] for each in shown])
    if len(versions) > len(shown):
        console.say(f"There are {len(versions) - len(shown)} more; --json lists them.")


def _show_outages(health: dict[str, Any] | None) -> None:
    if health is None:
        return
    rows = [
        [outage["from"], outage["to"], outage["seconds"], "; ".join(outage["reasons"])]
        for outage in health["outages"]
    ]
    console.write("\n")
    table("Last outages", OUTAGES, rows)
    if not rows:
        console.say("There were no outages in the last 90 days.")


def _bar(uptime: float | None) -> tuple[str, str]:
    if uptime is None:
        return NOT_KNOWN
    return next((mark, color) for least, mark, color in BARS if uptime >= least)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g} %"
