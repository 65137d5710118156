"""A measure beside its aim and its limit, and medians of calls in turns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

ROUNDS = 9
LONG_MS = 10_000


@dataclass(frozen=True)
class Measure:
    """A figure, its target, and the limit that was measured beside it, in the same unit.

    There is no target where none is set for this kind of server.
    """

    name: str
    unit: str
    figure: float
    target: float | None
    limit_name: str
    limit: float
    higher_is_better: bool = True

    @property
    def ratio(self) -> float:
        """How much of the limit is reached; 1 is the limit itself."""
        return self.figure / self.limit if self.higher_is_better else self.limit / self.figure

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached."""
        if self.target is None:
            return None
        return self.figure >= self.target if self.higher_is_better else self.figure <= self.target


def milliseconds(call: Callable[[], object]) -> float:
    """Milliseconds of one call."""
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


def median_ms(call: Callable[[], object]) -> float:
    """Milliseconds of a call, the median of nine."""
    return statistics.median(milliseconds(call) for _ in range(ROUNDS))


def medians_ms(
    *calls: Callable[[], object],
    rounds: int = ROUNDS,
    warm_up: int = 1,
    in_a_row: int = 1,
    before: Callable[[], object] = lambda: None,
) -> list[float]:
    """Milliseconds of each call, medians. Those of the rounds that warm up do not count.

    A round calls each so many times in a row, and `before` before each time. A call that takes very
    long is not repeated.
    """
    taken: list[list[float]] = [[] for _ in calls]
    for turn in range(warm_up + rounds):
        for call, times in zip(calls, taken, strict=True):
            for _ in range(in_a_row):
                if times and times[-1] > LONG_MS:
                    break
                before()
                ms = milliseconds(call)
                if turn >= warm_up or ms > LONG_MS:
                    times.append(ms)
    return [statistics.median(times) for times in taken]
