"""The questions, the window that each is about, and answers to them."""

from __future__ import annotations

from dataclasses import dataclass, field

CORE = ("count", "avg", "min", "max")
PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
EVERY = ("count", "sum", "avg", "min", "max", "stddev", "last", *PERCENTILES)
HOUR = 3600.0
DAY = 24 * HOUR

Statistics = dict[str, float]


@dataclass(frozen=True)
class Question:
    """What is asked: statistics of a window, of all sources, of one, or of each."""

    name: str
    days: int
    statistics: tuple[str, ...]
    source: str | None = None
    by_source: bool = False

    @property
    def previous(self) -> bool:
        """Whether the same statistics of the window before are asked for."""
        return self.source is None and not self.by_source

    @property
    def quantiles(self) -> dict[str, float]:
        """The percentiles that it asks for, as shares."""
        return {name: q for name, q in PERCENTILES.items() if name in self.statistics}

    @property
    def plain(self) -> tuple[str, ...]:
        """What it asks for that is no percentile."""
        return tuple(name for name in self.statistics if name not in PERCENTILES)


@dataclass(frozen=True)
class Window:
    """A window, and the one before it where that is asked for; Unix times.

    Ranges include their start and exclude their end, but for the newest sample, at `end`. No sample
    is on a bound, because the bounds are whole hours and no sample is on one.
    """

    start: float
    end: float
    before: float

    @classmethod
    def of(cls, days: int, newest: float, now: float) -> Window:
        """Begin on an hour, as windows of 7 days and more do; the one before is as long."""
        start = (now - days * DAY) // HOUR * HOUR
        return cls(start, newest, start - (now - start))


@dataclass
class Answer:
    """Statistics by source, under "" of all that was asked for, and of the window before."""

    window: Window
    groups: dict[str, Statistics]
    previous: Statistics = field(default_factory=dict)


def questions(days: int, source: str) -> list[Question]:
    """About a month, or about all days there are, and about a week where that is less."""
    windows = sorted({min(days, 30), min(days, 7)}, reverse=True)
    month = windows[0]
    percentiles = (*CORE, *PERCENTILES)
    return [
        *(
            Question(f"all sources, {n}d, every statistic, and of the window before", n, EVERY)
            for n in windows
        ),
        Question(f"one source, {month}d, every statistic", month, EVERY, source=source),
        Question(f"by source, {month}d, {', '.join(CORE)}", month, CORE, by_source=True),
        *(
            Question(f"by source, {n}d, {', '.join(percentiles)}", n, percentiles, by_source=True)
            for n in windows
        ),
    ]
