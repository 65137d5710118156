"""Numbers over time as a line of block characters."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

BLOCKS = "▁▂▃▄▅▆▇█"
GAP = " "
# A line without ups and downs is drawn in the middle.
LEVEL = BLOCKS[3]


def sparkline(values: Sequence[float | None], width: int) -> str:
    """One character for each value, the highest for the largest one; blanks for None.

    More values than `width` are averaged into `width` groups of neighbors.
    """
    line = values if len(values) <= width else _condense(values, max(width, 1))
    known = [value for value in line if value is not None]
    if not known:
        return GAP * len(line)
    low, high = min(known), max(known)
    return "".join(GAP if value is None else _block(value, low, high) for value in line)


def _block(value: float, low: float, high: float) -> str:
    if low == high:
        return LEVEL
    share = (value - low) / (high - low)
    return BLOCKS[min(int(share * len(BLOCKS)), len(BLOCKS) - 1)]


def _condense(values: Sequence[float | None], width: int) -> list[float | None]:
    edges = [place * len(values) // width for place in range(width + 1)]
    return [_mean(values[begin:end]) for begin, end in pairwise(edges)]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
