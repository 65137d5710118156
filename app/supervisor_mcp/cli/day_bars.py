"""The days of a server: a line of bars, one for each day, on a terminal, else a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from supervisor_mcp.cli import console
from supervisor_mcp.cli.quantities import heading, percent, seconds
from supervisor_mcp.cli.tables import table

if TYPE_CHECKING:
    from rich.text import Text

STATUSES = ("up", "degraded", "down", "unknown", "maintenance")
# (bar, style, meaning); a bar is as readable without its color.
NO_DOWN = ("█", "green", "no time down")
WITHIN = ("▆", "yellow", "down, within the target")
BELOW = ("▃", "red", "below the target")
MAINTENANCE = ("m", "blue", "maintenance")
UNKNOWN = ("·", "dim", "unknown")
BARS = (NO_DOWN, WITHIN, BELOW, MAINTENANCE, UNKNOWN)
Day = Mapping[str, Any]


def show_days(item: Mapping[str, Any]) -> None:
    """Print the days of an SLA."""
    if console.is_terminal():
        console.show(*day_bars(item["days"], item["target_percent"], console.out().width))
        return
    table(
        "Days",
        ("day", heading("uptime", "percent"), *(heading(each, "seconds") for each in STATUSES)),
        [
            [
                day["day"],
                percent(day["uptime_percent"]),
                *(seconds(day["seconds"][status]) for status in STATUSES),
            ]
            for day in item["days"]
        ],
    )


def day_bars(days: Sequence[Day], target_percent: float, width: int) -> list[Text]:
    """Lines of at most `width` bars under their first and last day, and what the bars mean."""
    from rich.text import Text

    pairs = [(day, _bar(day, target_percent)) for day in days]
    lines = []
    for part in _parts(pairs, width):
        first, last = part[0][0]["day"], part[-1][0]["day"]
        lines.append(Text(first if first == last else f"{first} to {last}"))
        runs = (list(run) for _, run in groupby(bar for _, bar in part))
        lines.append(Text.assemble(*((run[0][0] * len(run), run[0][1]) for run in runs)))
    shown = [bar for _, bar in pairs]
    meanings = [bar for bar in BARS if bar in shown]
    if meanings:
        lines.append(Text(", ".join(f"{bar} {meaning}" for bar, _, meaning in meanings)))
    return lines


def _parts(pairs: list[tuple[Day, tuple[str, str, str]]], width: int) -> list[Any]:
    size = max(width, 1)
    return [pairs[start : start + size] for start in range(0, len(pairs), size)]


def _bar(day: Day, target_percent: float) -> tuple[str, str, str]:
    if day["uptime_percent"] is None:
        return MAINTENANCE if day["seconds"]["maintenance"] else UNKNOWN
    if not day["seconds"]["down"]:
        return NO_DOWN
    return WITHIN if day["uptime_percent"] >= target_percent else BELOW
