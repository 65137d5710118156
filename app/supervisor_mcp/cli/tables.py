"""Rows of answers: drawn on a terminal, tab-separated elsewhere. No cell is ever cut."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from supervisor_mcp.cli import console
from supervisor_mcp.cli.escape import printable

if TYPE_CHECKING:
    from rich.console import Console

# Text is folded to a column of this width, where there is no room for all of it, but no further.
NARROWEST = 20
# What rich draws around a cell: a border and a space, and a space.
FRAME = 3


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    whole: Collection[str] = (),
) -> None:
    """Print rows under the names of their columns.

    On a terminal, columns of numbers are aligned to the right, long texts are folded (those of the
    columns in `whole` are not), and a table that is still too wide is printed as one block of
    lines for each row. Elsewhere, rows are tab-separated.
    """
    found = [list(row) for row in rows]
    terminal = console.out()
    if not terminal.is_terminal:
        lines = (columns, *found)
        console.write("".join("\t".join(map(_plain, line)) + "\n" for line in lines))
        return
    cells = [[text(cell) for cell in row] for row in found]
    numeric = [_is_numeric([row[place] for row in found]) for place in range(len(columns))]
    firm = [numeric[place] or name in whole for place, name in enumerate(columns)]
    widths = _fit(_natural(columns, cells), firm, terminal.width)
    if widths is None:
        _draw_blocks(title, columns, cells)
    else:
        _draw_table(title, columns, cells, numeric, widths)


def room(terminal: Console, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> int:
    """How wide one more column can be beside these, with their texts folded as far as they go."""
    natural = _natural(columns, [[text(cell) for cell in row] for row in rows])
    least = [
        width if _is_numeric([row[place] for row in rows]) else min(width, NARROWEST)
        for place, width in enumerate(natural)
    ]
    return terminal.width - sum(least) - FRAME * (len(columns) + 1) - 1


def text(cell: object) -> str:
    """A cell as people read it: `1,234.57`, `-` for an unknown value."""
    if cell is None:
        return "-"
    if isinstance(cell, int) and not isinstance(cell, bool):
        return f"{cell:,}"
    if isinstance(cell, float):
        return f"{cell:,.0f}" if 1e6 <= abs(cell) < 1e15 else f"{cell:,.6g}"
    return printable(str(cell))


def _plain(cell: object) -> str:
    return "" if cell is None else printable(str(cell))


def _is_numeric(cells: Sequence[object]) -> bool:
    return bool(cells) and all(cell is None or isinstance(cell, int | float) for cell in cells)


def _natural(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> list[int]:
    from rich.cells import cell_len

    return [
        max(cell_len(name), *(cell_len(row[place]) for row in cells), 1)
        for place, name in enumerate(columns)
    ]


def _fit(natural: list[int], firm: list[bool], width: int) -> list[int] | None:
    """Widths of columns that fit, or None; takes from the widest column that can be folded."""
    widths = list(natural)
    excess = sum(widths) + FRAME * len(widths) + 1 - width
    while excess > 0:
        place = max(
            (n for n in range(len(widths)) if not firm[n] and widths[n] > NARROWEST),
            key=lambda n: widths[n],
            default=None,
        )
        if place is None:
            return None
        widths[place] -= 1
        excess -= 1
    return widths


def _draw_table(
    title: str,
    columns: Sequence[str],
    cells: Sequence[Sequence[str]],
    numeric: Sequence[bool],
    widths: Sequence[int],
) -> None:
    from rich.table import Table
    from rich.text import Text

    drawn = Table(header_style="bold")
    for name, is_number, width in zip(columns, numeric, widths, strict=True):
        drawn.add_column(
            Text(printable(name)),
            justify="right" if is_number else "left",
            width=width,
            overflow="fold",
        )
    for row in cells:
        drawn.add_row(*map(Text, row))
    console.show(Text(printable(title), style="bold"))
    console.show(drawn, soft_wrap=False)


def _draw_blocks(title: str, columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich.text import Text

    widest = max(map(len, columns))
    lines = [Text(printable(title), style="bold")]
    for row in cells:
        lines.append(Text("─" * (widest + 2)))
        for name, cell in zip(columns, row, strict=True):
            lines.append(Text.assemble((printable(name).ljust(widest + 2), "bold"), cell))
    console.show(*lines)
