"""supervisor-mcp sla: uptime, outages and error budget of servers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.day_bars import day_bars
from supervisor_mcp.cli.parameters import From, Json, Limit, To, complete_server
from supervisor_mcp.cli.tables import table

STATUSES = ("up", "degraded", "down", "unknown", "maintenance")
SIZES = ((86_400, "d"), (3_600, "h"), (60, "min"))
RESTATED = ("restated_at", "maintenance", "author", "reason")


def sla(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A server, with its days and restatements; all servers when absent.",
            metavar="NAME",
            autocompletion=complete_server,
        ),
    ] = None,
    window: Annotated[
        str | None, typer.Option(help="7d, 30d, 90d, 36h, …; 30d when absent.")
    ] = None,
    from_: From = None,
    to: To = None,
    timezone: Annotated[
        str | None,
        typer.Option(help="Time zone of the days, such as Europe/Berlin; UTC when absent."),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(metavar="RFC3339", help="The answer as it was published at this time."),
    ] = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """Show uptime and error budget of servers.

    Unknown time and maintenance count neither as up nor as down; degraded counts as up.
    """
    import msgspec

    from supervisor_mcp.cli.client import connect

    asked = {
        "name": name,
        "window": window,
        "from": from_,
        "to": to,
        "timezone": timezone,
        "as_of": as_of,
        "limit": limit,
    }
    with connect() as client:
        answer = client.get("/health/sla", asked)
    if as_json:
        console.echo(answer)
        return
    result = msgspec.json.decode(answer)
    if name is None:
        _show_all(result)
    else:
        _show_one(result, result["items"][0])


def _show_all(result: dict[str, Any]) -> None:
    seconds, suffix = _seconds()
    columns = ("name", "uptime %", "target %", "coverage %", "outages", f"budget left{suffix}")
    table(
        f"SLA, {_span(result)}",
        columns,
        [
            [
                item["name"],
                percent(item["uptime_percent"]),
                percent(item["target_percent"]),
                percent(item["coverage_percent"]),
                item["outages"]["count"],
                seconds(item["error_budget"]["left_seconds"]),
            ]
            for item in result["items"]
        ],
        framed=False,
    )
    if not result["items"]:
        console.say(
            "No server was registered in this time. Register some with"
            f" `{console.command()} register FILE`."
        )
    if result["next_cursor"] is not None:
        console.say("There are more. Raise --limit, or name a server.")


def _show_one(result: dict[str, Any], item: dict[str, Any]) -> None:
    seconds, suffix = _seconds()
    outages, budget = item["outages"], item["error_budget"]
    table(
        f"SLA of {item['name']}, {_span(result)}",
        ("measure", "value"),
        [
            ["uptime %", percent(item["uptime_percent"])],
            ["coverage %", percent(item["coverage_percent"])],
            *([f"{each}{suffix}", seconds(item["seconds"][each])] for each in STATUSES),
            ["outages", outages["count"]],
            [f"longest{suffix}", seconds(outages["longest_seconds"])],
            [f"mean to recover{suffix}", seconds(outages["mean_seconds_to_recover"])],
            ["target %", percent(item["target_percent"])],
            [f"budget{suffix}", seconds(budget["total_seconds"])],
            [f"budget left{suffix}", seconds(budget["left_seconds"])],
            ["budget left %", percent(budget["left_percent"])],
        ],
    )
    if console.is_terminal():
        if item["days"]:
            console.show(*day_bars(item["days"], item["target_percent"], console.out().width))
    else:
        _show_days(item["days"])
    _show_restatements(item["restatements"])
    if item["uptime_percent"] is None and not item["seconds"]["maintenance"]:
        console.say(
            "Nobody reported in this time. Send reports (POST /health/reports) or heartbeats"
            f" (POST /registry/servers/{item['name']}/heartbeat)."
        )


def _show_days(days: list[dict[str, Any]]) -> None:
    table(
        "Days",
        ("day", "uptime %", *(f"{each}_seconds" for each in STATUSES)),
        [
            [day["day"], percent(day["uptime_percent"]), *(day["seconds"][s] for s in STATUSES)]
            for day in days
        ],
    )


def _show_restatements(restatements: list[dict[str, Any]]) -> None:
    """The uptime of 30 days before and after each; where there is no terminal, if any."""
    if restatements:
        table(
            "Restatements",
            (*RESTATED, "30d before %", "30d after %"),
            [
                [
                    *(each[name] for name in RESTATED),
                    *(
                        percent(each[side].get("30d", {}).get("uptime_percent"))
                        for side in ("before", "after")
                    ),
                ]
                for each in restatements
            ],
        )


def _span(result: dict[str, Any]) -> str:
    first, last = (f"{result[end][:10]} {result[end][11:16]}" for end in ("from", "to"))
    window = result["window"]
    return f"{window} up to {last} UTC" if window else f"{first} to {last} UTC"


def percent(share: float | None) -> float | None:
    """A percentage with three digits, cut rather than rounded: 99.9996 is not 100."""
    from decimal import ROUND_FLOOR, Decimal

    if share is None or not console.is_terminal():
        return share
    return float(Decimal(str(share)).quantize(Decimal("0.001"), ROUND_FLOOR))


def duration(seconds: float | None) -> str | None:
    """A length of time in its largest unit: `4.2 h`."""
    if seconds is None:
        return None
    for size, unit in SIZES:
        if abs(seconds) >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def _seconds() -> tuple[Callable[[float | None], object], str]:
    """How seconds are shown, and what the names of their columns end with."""
    if console.is_terminal():
        return duration, ""
    return lambda seconds: seconds, "_seconds"
