"""supervisor-mcp sla: uptime, outages and error budget of servers."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.day_bars import STATUSES, show_days
from supervisor_mcp.cli.health import reporting
from supervisor_mcp.cli.parameters import From, Json, Limit, To, complete_server
from supervisor_mcp.cli.quantities import heading, moment, percent, seconds
from supervisor_mcp.cli.tables import table

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
    columns = (
        "name",
        *(heading(name, "percent") for name in ("uptime", "target", "coverage")),
        "outages",
        heading("budget left", "seconds"),
    )
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
                seconds(_known(item, item["error_budget"]["left_seconds"])),
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
    outages, budget = item["outages"], item["error_budget"]
    table(
        f"SLA of {item['name']}, {_span(result)}",
        ("measure", "value"),
        [
            [heading("uptime", "percent"), percent(item["uptime_percent"])],
            [heading("coverage", "percent"), percent(item["coverage_percent"])],
            *([heading(each, "seconds"), seconds(item["seconds"][each])] for each in STATUSES),
            ["outages", outages["count"]],
            [heading("longest", "seconds"), seconds(outages["longest_seconds"])],
            [heading("mean to recover", "seconds"), seconds(outages["mean_seconds_to_recover"])],
            [heading("target", "percent"), percent(item["target_percent"])],
            [heading("budget", "seconds"), seconds(_known(item, budget["total_seconds"]))],
            [heading("budget left", "seconds"), seconds(_known(item, budget["left_seconds"]))],
            [heading("budget left", "percent"), _share(budget["left_percent"])],
        ],
    )
    show_days(item)
    _show_restatements(item["restatements"])
    if item["uptime_percent"] is None and not item["seconds"]["maintenance"]:
        console.say(f"Nobody reported in this time: {reporting(item['name'])}.")


def _show_restatements(restatements: list[dict[str, Any]]) -> None:
    """The uptime of 30 days before and after each; where there is no terminal, if any."""
    if restatements:
        table(
            "Restatements",
            (*RESTATED, heading("30d before", "percent"), heading("30d after", "percent")),
            [
                [
                    moment(each["restated_at"]),
                    *(each[name] for name in RESTATED[1:]),
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


def _known(item: dict[str, Any], length: float) -> float | None:
    """Without known time there is no error budget, rather than one of no seconds."""
    return None if item["uptime_percent"] is None else length


def _share(left: float | None) -> object:
    """A budget that is exceeded has no share left: people read by how much it is, in time."""
    if left is not None and left < 0 and console.is_terminal():
        return "exceeded"
    return percent(left)
