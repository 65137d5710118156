"""Real series as they are sent, and what numpy says about them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RESET_EVERY = 500

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sent:
    """What was sent of a kind: epoch seconds in ascending order, and values."""

    ts: Floats
    value: Floats
    counter: bool = False


def read_series(path: Path, now: datetime) -> Sent:
    """A series, shifted so that its last sample lands at `now`."""
    with path.open(encoding="utf-8") as lines:
        rows = [
            (datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC), float(row["value"]))
            for row in csv.DictReader(lines)
        ]
    shift = now - max(ts for ts, _ in rows)
    # A series names some instants twice (clock changes); the first value is kept.
    first: dict[float, float] = {}
    for ts, value in rows:
        first.setdefault((ts + shift).timestamp(), value)
    ordered = sorted(first)
    return Sent(np.array(ordered), np.array([first[ts] for ts in ordered]))


def as_counter(series: Sent) -> Sent:
    """A counter that grows by the values and falls to zero now and then."""
    readings = np.concatenate(
        [
            np.cumsum(series.value[start : start + RESET_EVERY])
            for start in range(0, len(series.value), RESET_EVERY)
        ]
    )
    return Sent(series.ts, readings, counter=True)


def increase(readings: Floats) -> float:
    """Growth from the first reading to the last; after a fall it starts at zero."""
    before, after = readings[:-1], readings[1:]
    return float(np.sum(np.where(after >= before, after - before, after)))
