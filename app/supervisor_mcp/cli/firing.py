"""When alerts would have fired: a line of characters for each of them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from supervisor_mcp.cli.escape import printable

if TYPE_CHECKING:
    from rich.text import Text

# Strongest first: a character shows the strongest state of its time.
STATES = {"firing": ("█", "red"), "pending": ("▒", "yellow")}
QUIET = ("·", "dim")
MOST_LINES = 20


def firing_lines(result: dict[str, Any], width: int) -> list[Text]:
    """At most 20 alerts of a back-test: the labels that tell them apart, and a line of `width`."""
    from rich.text import Text

    start, end = (datetime.fromisoformat(result[name]) for name in ("from", "to"))
    lines: list[Text] = []
    for labels, spans in list(_spans(result, end).items())[:MOST_LINES]:
        lines.append(Text(printable(labels)))
        cells = [QUIET] * width
        for state in reversed(STATES):
            for begins, ends in spans.get(state, []):
                first = _cell(begins, start, end, width)
                for place in range(first, max(first + 1, _cell(ends, start, end, width))):
                    cells[min(place, width - 1)] = STATES[state]
        lines.append(Text.assemble(*cells))
    return [*lines, Text("█ firing, ▒ pending")]


def labels_line(labels: dict[str, str]) -> str:
    """The labels of an alert: `alertname=queue_long, severity=warning`."""
    return ", ".join(f"{name}={value}" for name, value in sorted(labels.items()))


def _spans(
    result: dict[str, Any], end: datetime
) -> dict[str, dict[str, list[tuple[datetime, datetime]]]]:
    """The times of each state of each alert."""
    spans: dict[str, dict[str, list[tuple[datetime, datetime]]]] = {}
    open_since: dict[str, tuple[str, datetime]] = {}
    for row in result["transitions"]:
        alert = labels_line(row["labels"])
        at = datetime.fromisoformat(row["at"])
        states = spans.setdefault(alert, {})
        if alert in open_since:
            state, since = open_since.pop(alert)
            states.setdefault(state, []).append((since, at))
        if row["to_state"] in STATES:
            open_since[alert] = (row["to_state"], at)
    for alert, (state, since) in open_since.items():
        spans[alert].setdefault(state, []).append((since, end))
    return spans


def _cell(at: datetime, start: datetime, end: datetime, width: int) -> int:
    return int((at - start) / (end - start) * width)
