"""supervisor-mcp server: one MCP server, how it is and how it was."""

from __future__ import annotations

from typing import Any

from supervisor_mcp.cli import console
from supervisor_mcp.cli.day_bars import show_days
from supervisor_mcp.cli.health import show_outages, show_signals, window_words
from supervisor_mcp.cli.parameters import Json, Server
from supervisor_mcp.cli.quantities import age, duration, moment, percent
from supervisor_mcp.cli.tables import table

WINDOW = "30d"
VERSIONS = ("version", "from", "to")
MOST_VERSIONS = 10
WATCHED = ("keepalive_seconds", "failures_to_down", "successes_to_recover", "sla_target")


def server(name: Server, as_json: Json = False) -> None:
    """Show an MCP server and its last 30 days.

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
    shown, present = msgspec.json.decode(entry), msgspec.json.decode(health)
    _show_entry(shown, present["maintenance"] if present else {})
    if present:
        show_signals(present, _for_probes(shown))
    _show_days(msgspec.json.decode(sla)["items"])
    _show_versions(shown["versions"])
    if present:
        show_outages(present)


def _show_entry(entry: dict[str, Any], maintenance: dict[str, Any]) -> None:
    document, health = entry["document"] or {}, entry["health"]
    since = f" since {moment(health['since'])}" if health and health["since"] else ""
    facts = {
        "name": entry["name"],
        "version": entry["version"],
        "description": document.get("description"),
        "status": entry["status"],
        "health": health and health["status"] + since,
        "last_seen": health and age(health["last_seen"]),
        "maintenance": window_words(maintenance.get("now")),
        "next_maintenance": window_words(maintenance.get("next")),
        "owner": entry["owner"],
        "tier": entry["tier"],
        "tags": ", ".join(entry["tags"]),
        "source": entry["source"],
        "remotes": " ".join(remote["url"] for remote in document.get("remotes", ())),
        "tools": len((entry["capabilities"] or {"tools": ()})["tools"]),
        **{name: entry[name] for name in WATCHED},
        "probe": "on" if entry["probe"] else "off",
    }
    rows = [[key, value] for key, value in facts.items() if value not in (None, "")]
    table(entry["name"], ("field", "value"), rows, framed=False)


def _for_probes(entry: dict[str, Any]) -> str:
    """What is missing for probes."""
    if not (entry["document"] or {}).get("remotes"):
        return ", or add remotes"
    return "" if entry["probe"] else ", or set probe to true"


def _show_days(items: list[dict[str, Any]]) -> None:
    for sla in items:
        target = f"target {_percent(sla['target_percent'])}"
        console.write("\n")
        if sla["uptime_percent"] is None:
            console.write(f"Uptime of {WINDOW}: not known ({target})\n")
        else:
            count = sla["outages"]["count"]
            console.write(
                f"Uptime of {WINDOW}: {_percent(sla['uptime_percent'])} ({target}),"
                f" {_percent(sla['coverage_percent'])} of the time is known,"
                f" {count} {'outage' if count == 1 else 'outages'}, {budget(sla['error_budget'])}\n"
            )
        show_days(sla)


def budget(of: dict[str, Any]) -> str:
    """What is left of an error budget."""
    if of["left_seconds"] < 0:
        return f"the error budget is exceeded by {duration(-of['left_seconds'])}"
    if of["left_percent"] is None:
        return "the target allows no time down"
    return f"{_percent(of['left_percent'])} of the error budget is left"


def _show_versions(versions: list[dict[str, Any]]) -> None:
    console.write("\n")
    shown = versions[:MOST_VERSIONS]
    rows = [[each["version"], moment(each["from"]), moment(each["to"])] for each in shown]
    table("Versions", VERSIONS, rows, framed=False)
    if len(versions) > len(shown):
        console.say(f"There are {len(versions) - len(shown)} more; --json lists them.")


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{percent(value):.6g} %"
