"""supervisor-mcp agg: aggregates over a window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.escape import printable
from supervisor_mcp.cli.parameters import Json, Kind, Source
from supervisor_mcp.cli.quantities import counted
from supervisor_mcp.cli.tables import table

STATISTICS = (
    *("count", "sum", "avg", "min", "max", "stddev", "last"),
    *("p50", "p90", "p95", "p99", "rate_per_second"),
)
# What one line of a table has room for.
OF_A_GROUP = ("count", "avg", "min", "max", "p50", "p95", "p99", "rate_per_second")
OF_A_KIND = ("count", "avg", "min", "max", "p50", "p95", "rate_per_second")


def agg(
    kind: Kind = None,
    window: Annotated[str, typer.Option(help="1h, 24h, 7d, 30d, 90d, …")] = "7d",
    source: Source = None,
    group_by: Annotated[
        str | None, typer.Option(metavar="source|label.NAME", help="Add one line for each group.")
    ] = None,
    fields: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,…",
            help="Only these members of the answer: count,p95,previous. Faster and shorter.",
        ),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="RFC3339", help="The answer as it was at this time.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the aggregate of a kind over a window.

    The window ends now. The column "before" is the window of the same length before it.
    """
    import msgspec

    from supervisor_mcp.cli.client import connect

    with connect() as client:
        answer = client.get(
            "/query/agg",
            {
                "kind": kind,
                "window": window,
                "source": source,
                "group_by": group_by,
                "fields": fields,
                "as_of": as_of,
            },
        )
    if as_json:
        console.echo(answer)
        return
    result = msgspec.json.decode(answer)
    if kind is None:
        _show_all(result, window)
    else:
        # The names that are asked for, else what a line has room for.
        _show_one(result, group_by, OF_A_GROUP if fields is None else STATISTICS)


def _show_one(result: dict[str, Any], group_by: str | None, of_a_group: Sequence[str]) -> None:
    unit = f", {result['unit']}" if result["unit"] else ""
    title = (
        f"{result['kind']} ({result['type']}{unit}), {result['window']} up to"
        f" {_second(result['to'])}"
    )
    columns = {result["window"]: result}
    if "previous" in result:
        columns["before"] = result["previous"]
    if "change" in result:
        columns["change"] = {name: _percent(each) for name, each in result["change"].items()}
    shown = [name for name in STATISTICS if any(name in column for column in columns.values())]
    table(
        title,
        ["measure", *columns],
        [[name, *(column.get(name) for column in columns.values())] for name in shown],
    )
    if group_by is not None:
        _show_groups(result["groups"], group_by, of_a_group)
    if "hint" in result:
        console.say(printable(result["hint"]))
    elif group_by is not None and [group["group"] for group in result["groups"]] == [""]:
        label = printable(group_by.removeprefix("label."))
        console.say(
            f'Nothing in this window has the label "{label}".'
            f" `{console.command()} series {result['kind']}` lists the series with labels."
        )
    late = result.get("freshness", {}).get("late_pending")
    if late:
        verb = "is" if late == 1 else "are"
        console.say(f"{counted(late, 'late row')} {verb} counted, and being rolled up.")


def _show_groups(groups: list[dict[str, Any]], group_by: str, names: Sequence[str]) -> None:
    columns = _present(names, groups)
    table(
        f"By {group_by}",
        [group_by, *columns],
        [[group["group"], *(group[name] for name in columns)] for group in groups],
    )


def _show_all(result: dict[str, Any], window: str) -> None:
    columns = ["kind", "type", *_present(OF_A_KIND, result["kinds"])]
    table(
        f"All kinds, {window} up to {_second(result['computed_at'])}",
        columns,
        [[member[name] for name in columns] for member in result["kinds"]],
    )
    if not result["kinds"]:
        console.say("There are no kinds yet.")


def _present(names: Sequence[str], rows: list[dict[str, Any]]) -> list[str]:
    """The names that the rows have; --fields leaves the others out."""
    return [name for name in names if not rows or name in rows[0]]


def _second(instant: str) -> str:
    """A time of the service, which is in UTC, without its fraction."""
    return f"{instant[:10]} {instant[11:19]} UTC"


def _percent(change: float | None) -> str | None:
    return None if change is None else f"{100 * change:+.1f} %"
