"""supervisor-mcp agg, kinds, facts: what the service knows, as tables or as its own JSON."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from supervisor_mcp import config
from supervisor_mcp.cli import console
from supervisor_mcp.cli.client import Client, connect, local_url
from supervisor_mcp.cli.failure import Failure

CORE = ("count", "sum", "avg", "min", "max", "stddev", "last", "p50", "p90", "p95", "p99")
MEASURES = (*CORE, "rate_per_second")
Json = Annotated[bool, typer.Option("--json", help="Print the service's answer as it came.")]


def _complete_kind(incomplete: str) -> list[str]:
    """Names for the shell's completion; none where no service answers soon."""
    settings = config.load()
    url = settings.url or local_url(settings.host, settings.port)
    try:
        with Client(url, timeout_seconds=1) as client:
            answer = client.get("/query/kinds", prefix=incomplete)
    except Failure:
        return []
    return [item["kind"] for item in msgspec.json.decode(answer)["items"]]


Kind = Annotated[
    str | None,
    typer.Argument(
        help="A metric name or Fact:<Name>; every kind when left out.",
        metavar="KIND",
        autocompletion=_complete_kind,
    ),
]


def agg(
    kind: Kind = None,
    window: Annotated[str, typer.Option(help="1h, 24h, 7d, 30d, 90d, …")] = "7d",
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    group_by: Annotated[
        str | None, typer.Option(metavar="source|label.NAME", help="Also one line per group.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="RFC3339", help="What was known at that instant.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the aggregate of a kind over a window that ends now, beside the window before."""
    with connect(config.load()) as client:
        answer = client.get(
            "/query/agg", kind=kind, window=window, source=source, group_by=group_by, as_of=as_of
        )
    if as_json:
        console.echo(answer)
        return
    told = msgspec.json.decode(answer)
    if kind is None:
        _show_all(told, window)
    else:
        _show_one(told, group_by)


def kinds(
    type_: Annotated[
        str | None, typer.Option("--type", help="gauge, counter, histogram or fact.")
    ] = None,
    prefix: Annotated[str | None, typer.Option(help="Only names that start so.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 100,
    as_json: Json = False,
) -> None:
    """List the kinds the service has seen, with their sources and series."""
    with connect(config.load()) as client:
        answer = client.get("/query/kinds", type=type_, prefix=prefix, limit=limit)
    if as_json:
        console.echo(answer)
        return
    told = msgspec.json.decode(answer)
    columns = ["kind", "type", "unit", "sources", "series"]
    console.table("Kinds", columns, [[item[name] for name in columns] for item in told["items"]])
    _say_more(told)


def facts(
    kind: Annotated[
        str | None, typer.Option(help="Fact:<Name>.", autocompletion=_complete_kind)
    ] = None,
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only this subject.")] = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="RFC3339", help="At or after.")
    ] = None,
    to: Annotated[str | None, typer.Option(metavar="RFC3339", help="Before.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 20,
    as_json: Json = False,
) -> None:
    """List facts, newest first."""
    with connect(config.load()) as client:
        answer = client.get(
            "/query/facts",
            **{"kind": kind, "source": source, "subject": subject, "from": from_, "to": to},
            limit=limit,
        )
    if as_json:
        console.echo(answer)
        return
    told = msgspec.json.decode(answer)
    columns = ["ts", "kind", "source", "subject", "value", "payload"]
    console.table(
        "Facts", columns, [[_cell(item[name]) for name in columns] for item in told["items"]]
    )
    _say_more(told)


def _show_one(told: dict[str, Any], group_by: str | None) -> None:
    unit = f", {told['unit']}" if told["unit"] else ""
    console.table(
        f"{told['kind']} ({told['type']}{unit}), {told['window']} up to {_second(told['to'])}",
        ["measure", told["window"], "before", "change"],
        [
            [name, told[name], told["previous"][name], _percent(told["change"].get(name))]
            for name in MEASURES
        ],
    )
    if group_by is not None:
        columns = ["count", "avg", "min", "max", "p50", "p95", "p99", "rate_per_second"]
        console.table(
            f"By {group_by}",
            [group_by, *columns],
            [[group["group"], *(group[name] for name in columns)] for group in told["groups"]],
        )
    late = told["freshness"]["late_pending"]
    if late:
        console.say(f"{late:,} late rows are counted, and being rolled up.")


def _show_all(told: dict[str, Any], window: str) -> None:
    columns = ["kind", "type", "count", "avg", "min", "max", "p50", "p95", "rate_per_second"]
    console.table(
        f"All kinds, {window} up to {_second(told['computed_at'])}",
        columns,
        [[member[name] for name in columns] for member in told["kinds"]],
    )


def _second(instant: str) -> str:
    """An instant of the service, which speaks UTC, without its fraction."""
    return f"{instant[:10]} {instant[11:19]} UTC"


def _say_more(told: dict[str, Any]) -> None:
    if told["next_cursor"] is not None:
        console.say("There are more; raise --limit or narrow the list.")


def _percent(change: float | None) -> str | None:
    return None if change is None else f"{100 * change:+.1f} %"


def _cell(value: object) -> object:
    return msgspec.json.encode(value).decode() if isinstance(value, dict) else value
