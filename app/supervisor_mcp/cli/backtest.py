"""supervisor-mcp backtest: what an alert rule would have done."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.escape import printable
from supervisor_mcp.cli.failure import USAGE, Failure
from supervisor_mcp.cli.firing import firing_lines, labels_line
from supervisor_mcp.cli.parameters import From, Json, To
from supervisor_mcp.cli.plot import plot_lines
from supervisor_mcp.cli.quantities import duration, heading, moment
from supervisor_mcp.cli.tables import table, text

MOST_SHOWN = 20
# Of the series: what the service answers with at most, and how many lines it is drawn on.
MOST_POINTS = 1000
PLOT_HEIGHT = 8
UNKNOWN_WIDTH = 60
SCORES = ("count", "detected", "recall", "precision", "false_alarms", "median_lead_seconds")
Step = Annotated[
    str | None,
    typer.Option(
        help="Time between evaluations, such as 1m. If left out, it fits the range: for 7 to 30"
        " days, 5m, or 1h with windows longer than 6 hours."
    ),
]


def backtest(
    rule: Annotated[
        str,
        typer.Argument(
            help="File with a rule (- for standard input), or name of a rule.", metavar="RULE"
        ),
    ],
    from_: From = None,
    to: To = None,
    step: Step = None,
    incidents: Annotated[
        str | None, typer.Option(metavar="FILE", help="File with incidents: [{from, to}].")
    ] = None,
    incident_kind: Annotated[
        str | None, typer.Option(help="Kind of the facts that are incidents.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Test an alert rule on the past: when it would have fired. Nothing is stored."""
    import msgspec

    from supervisor_mcp.cli.client import connect

    width = console.out().width if console.is_terminal() else UNKNOWN_WIDTH
    asked = {
        **tested_rule(rule),
        "from": from_,
        "to": to,
        "step": step,
        "incidents": entries_of(incidents) if incidents else None,
        "incident_kind": incident_kind,
        "points": None if as_json else min(width, MOST_POINTS),
    }
    with connect() as client:
        answer = client.write("POST", "/alerts/rules/backtest", asked)
    if as_json:
        console.echo(answer)
        return
    _show(msgspec.json.decode(answer), width)


def tested_rule(given: str) -> dict[str, Any]:
    """The rule in a file as rule, else what is given as name. Raises Failure."""
    from pathlib import Path

    if given != "-" and not Path(given).is_file():
        return {"name": given}
    entries = entries_of(given)
    if len(entries) != 1:
        message = f"{given} has {len(entries)} rules."
        raise Failure(message, USAGE, hint="Send a file with one rule, or the name of a rule.")
    return {"rule": entries[0]}


def entries_of(name: str) -> list[dict[str, Any]]:
    """The objects of a file. Raises Failure."""
    from supervisor_mcp.cli.document_files import read

    documents = []
    for entry in read(name):
        if not isinstance(entry.document, dict):
            raise Failure(f"{entry.place}: {entry.fault}", USAGE)
        documents.append(entry.document)
    return documents


def _show(result: dict[str, Any], width: int) -> None:
    if result["series"]:
        _draw(result["series"], width)
    if result["transitions"]:
        console.show(*firing_lines(result, width))
    rows = [
        [
            moment(row["at"]),
            row["to_state"],
            labels_line(row["labels"]),
            row["value"],
        ]
        for row in result["transitions"][:MOST_SHOWN]
    ]
    table("Transitions", ("at", "state", "labels", "value"), rows, framed=False)
    hidden = len(result["transitions"]) - len(rows)
    if hidden or result["truncated"]:
        console.say("There are more transitions. --json lists them.")
    console.write(
        f"{result['alerts']} alerts, {duration(result['firing_seconds'])} firing, from"
        f" {moment(result['from'])} to {moment(result['to'])}, every"
        f" {duration(result['step_seconds'])}.\n"
    )
    score = result["incidents"]
    if score is not None:
        names = [
            heading(name.removesuffix("_seconds"), "seconds") if "lead" in name else name
            for name in SCORES
        ]
        table("Incidents", names, [[score[name] for name in SCORES]], framed=False)


def _draw(series: dict[str, Any], width: int) -> None:
    """Print the values of the condition for one group, with the threshold, as wide as the bars."""
    from rich.text import Text

    values = [value for _, value in series["points"]]
    known = [value for value in values if value is not None]
    if not known:
        return
    low, high = text(float(min(known))), text(float(max(known)))
    threshold = series["threshold"]
    limit = "" if threshold is None else f", threshold {series['operator']} {text(threshold)} (─)"
    named = printable(labels_line(series["labels"]))
    console.show(
        Text(f"{named}: {low} to {high}{limit}"), *plot_lines(values, threshold, width, PLOT_HEIGHT)
    )
