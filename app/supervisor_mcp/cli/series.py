"""supervisor-mcp series: the series of a metric over time."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

import typer

from supervisor_mcp.cli import console, tables
from supervisor_mcp.cli.hints import for_command_line
from supervisor_mcp.cli.parameters import Json, Labels, Name, Source, read_labels
from supervisor_mcp.cli.sparkline import sparkline

COLUMNS = ("source", "labels", "min", "avg", "max", "last")
# Shorter sparklines show too little.
SHORTEST = 12
Points = list[float | None]


class Statistic(StrEnum):
    """What a sparkline shows of each point."""

    AVG = "avg"
    MIN = "min"
    MAX = "max"
    LAST = "last"
    COUNT = "count"
    RATE = "rate_per_second"


# These are rates of a point rather than values of the series.
OF_A_POINT = (Statistic.COUNT, Statistic.RATE)


class _Summary(NamedTuple):
    """The numbers of one series over the whole range; None where there is no sample."""

    min: float | None
    avg: float | None
    max: float | None
    last: float | None


def series(
    name: Name,
    source: Source = None,
    label: Labels = None,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="RFC3339", help="Start; 24 hours before the end if absent."),
    ] = None,
    to: Annotated[str | None, typer.Option(metavar="RFC3339", help="End; now if absent.")] = None,
    step: Annotated[
        str | None,
        typer.Option(help="Distance of the points: 30s, 5m, 1h, 1d; chosen for you if absent."),
    ] = None,
    statistic: Annotated[
        Statistic, typer.Option("--statistic", "--column", help="What the sparkline shows.")
    ] = Statistic.AVG,
    split_by: Annotated[
        str | None,
        typer.Option("--split-by", help="version: one line for each version of the server."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Draw each series of a metric as a sparkline.

    Its numbers min, avg, max and last describe all samples of the range. With --statistic count
    or rate_per_second, they describe the points of the sparkline instead.
    """
    import msgspec

    from supervisor_mcp.cli.client import connect

    labels = {f"label.{key}": value for key, value in read_labels(label).items()}
    with connect() as client:
        answer = client.get(
            "/query/metrics",
            {
                "name": name,
                "source": source,
                "from": from_,
                "to": to,
                "step": step,
                "split_by": split_by,
                **labels,
            },
        )
    if as_json:
        console.echo(answer)
    else:
        _show(msgspec.json.decode(answer), statistic)


def _show(result: dict[str, Any], statistic: Statistic) -> None:
    for one in result["series"]:
        if "version" in one:
            one["labels"]["version"] = one["version"] or "-"
    shared = _shared_labels([one["labels"] for one in result["series"]])
    on_terminal = console.is_terminal()
    numbers = []
    lines = []
    for one in result["series"]:
        points = _columns(result["columns"], one["points"])
        found = _summarize(points, statistic)
        own = {key: value for key, value in one["labels"].items() if key not in shared}
        labels = own if on_terminal else one["labels"]
        shown = map(_rounded, found) if on_terminal else found
        numbers.append([one["source"], _join(labels), *shown])
        lines.append(points[statistic])
    width = _width(numbers)
    tables.table(
        _title(result, statistic, shared),
        (*COLUMNS[:2], "sparkline", *COLUMNS[2:]),
        [
            [*row[:2], sparkline(line, width), *row[2:]]
            for row, line in zip(numbers, lines, strict=True)
        ],
        whole=("sparkline",),
        framed=False,
    )
    if not lines:
        console.say(for_command_line(result["hint"], "from"))


def _width(numbers: Sequence[Sequence[object]]) -> int:
    """How many characters a sparkline can have, in a table or else in blocks of lines."""
    terminal = console.out().width
    if not console.is_terminal():
        return terminal
    beside = tables.room(terminal, COLUMNS, numbers, framed=False)
    return beside if beside >= SHORTEST else terminal - len("sparkline") - tables.BARE


def _title(result: dict[str, Any], statistic: Statistic, shared: dict[str, str]) -> str:
    unit = f", {result['unit']}" if result["unit"] else ""
    labels = f" {_join(shared)}" if shared else ""
    return (
        f"{result['name']}{labels} ({result['type']}{unit}), {statistic.value} of every"
        f" {_duration(result['step_seconds'])} from {_minute(result['from'])}"
        f" to {_minute(result['to'])} UTC"
    )


def _shared_labels(labels: Sequence[dict[str, str]]) -> dict[str, str]:
    """What all series of a list of several have in common."""
    if len(labels) < 2:
        return {}
    return dict(set.intersection(*(set(each.items()) for each in labels)))


def _join(labels: dict[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in sorted(labels.items()))


def _rounded(value: float | None) -> float | None:
    """Four digits, which leave room for the sparkline."""
    return value if value is None or abs(value) >= 1e4 else float(f"{value:.4g}")


def _columns(names: Sequence[str], points: Sequence[Sequence[Any]]) -> dict[str, Points]:
    return {name: [point[place] for point in points] for place, name in enumerate(names)}


def _summarize(points: dict[str, Points], statistic: Statistic) -> _Summary:
    if statistic in OF_A_POINT:
        known = [value for value in points[statistic] if value is not None]
        avg = sum(known) / len(known) if known else None
        return _Summary(
            min(known, default=None), avg, max(known, default=None), _last(points[statistic])
        )
    weighted = [
        (avg * count, count)
        for avg, count in zip(points["avg"], points["count"], strict=True)
        if avg is not None and count
    ]
    total = sum(count for _, count in weighted)
    return _Summary(
        min((value for value in points["min"] if value is not None), default=None),
        sum(part for part, _ in weighted) / total if total else None,
        max((value for value in points["max"] if value is not None), default=None),
        _last(points["last"]),
    )


def _last(values: Points) -> float | None:
    return next((value for value in reversed(values) if value is not None), None)


def _minute(instant: str) -> str:
    """A time of the service, which is in UTC, to the minute."""
    return f"{instant[:10]} {instant[11:16]}"


def _duration(seconds: int) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
