"""Numbers over time as columns of block characters over several lines, with a threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

BLOCKS = " ▁▂▃▄▅▆▇█"
EIGHTHS = len(BLOCKS) - 1
LINE = "─"


def plot_lines(
    values: Sequence[float | None], threshold: float | None, width: int, height: int
) -> list[Text]:
    """`height` lines of `width`, the highest block for the largest number; blanks for None.

    There are at most `width` values, which are stretched over it. The threshold is a line behind
    the blocks.
    """
    from rich.text import Text

    known = [value for value in (*values, threshold) if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    steps = height * EIGHTHS
    # The smallest value has one step, so that it differs from none.
    sizes = [None if value is None else _step(value, low, high, steps) for value in values]
    line = None if threshold is None else (_step(threshold, low, high, steps) - 1) // EIGHTHS
    lines = []
    for row in reversed(range(height)):
        cells = [
            _cell(sizes[place * len(sizes) // width], row, is_line=row == line)
            for place in range(width if sizes else 0)
        ]
        lines.append(Text.assemble(*((cell, "red" if cell == LINE else "") for cell in cells)))
    return lines


def _step(value: float, low: float, high: float, steps: int) -> int:
    """The height of a value, from 1 to `steps`; of equal ones, half of it."""
    if low == high:
        return steps // 2
    # Halves first: the distance of two numbers may be more than a number can be.
    share = (value / 2 - low / 2) / (high / 2 - low / 2)
    return 1 + round(share * (steps - 1))


def _cell(size: int | None, row: int, *, is_line: bool) -> str:
    filled = 0 if size is None else min(max(size - row * EIGHTHS, 0), EIGHTHS)
    return LINE if is_line and not filled else BLOCKS[filled]
