"""supervisor-mcp agg: aggregates over a window."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.parameters import Json, Kind, Source
from supervisor_mcp.cli.tables import table

CORE = ("count", "sum", "avg", "min", "max", "stddev", "last", "p50", "p90", "p95", "p99")
MEASURES = (*CORE, "rate_per_second")


def agg(
    kind: Kind = None,
    window: Annotated[str, typer.Option(help="1h, 24h, 7d, 30d, 90d, …")] = "7d",
    source: Source = None,
    group_by: Annotated[
        str | None, typer.Option(metavar="source|label.NAME", help="Add one line for each group.")
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
        _show_one(result, group_by)


def _show_one(result: dict[str, Any], group_by: str | None) -> None:
    unit = f", {result['unit']}" if result["unit"] else ""
    table(
        f"{result['kind']} ({result['type']}{unit}), {result['window']} up to"
        f" {_second(result['to'])}",
        ["measure", result["window"], "before", "change"],
        [
            [name, result[name], result["previous"][name], _percent(result["change"].get(name))]
            for name in MEASURES
        ],
    )
    if group_by is not None:
        columns = ["count", "avg", "min", "max", "p50", "p95", "p99", "rate_per_second"]
        table(
            f"By {group_by}",
            [group_by, *columns],
            [[group["group"], *(group[name] for name in columns)] for group in result["groups"]],
        )
    late = result["freshness"]["late_pending"]
    if late:
        console.say(f"{late:,} late rows are counted, and being rolled up.")


def _show_all(result: dict[str, Any], window: str) -> None:
    columns = ["kind", "type", "count", "avg", "min", "max", "p50", "p95", "rate_per_second"]
    table(
        f"All kinds, {window} up to {_second(result['computed_at'])}",
        columns,
        [[member[name] for name in columns] for member in result["kinds"]],
    )
    if not result["kinds"]:
        console.say("There are no kinds yet.")


def _second(instant: str) -> str:
    """A time of the service, which is in UTC, without its fraction."""
    return f"{instant[:10]} {instant[11:19]} UTC"


def _percent(change: float | None) -> str | None:
    return None if change is None else f"{100 * change:+.1f} %"
