"""Rows of answers: drawn on a terminal, tab-separated elsewhere. No cell is ever cut."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from supervisor_mcp.cli import console
from supervisor_mcp.cli.escape import printable, printable_json

# Text is folded to a column of this width, where there is no room for all of it, but no further.
NARROWEST = 20
# And of this one, before a column is left out.
NARROWEST_OF_MANY = 12
# What separates cells: a border between two spaces, or two spaces.
FRAMED, BARE = 3, 2


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    whole: Collection[str] = (),
    spare: Sequence[str] = (),
    framed: bool = True,
) -> None:
    """Print rows under the names of their columns.

    On a terminal, columns of numbers are aligned to the right, and long texts are folded (those of
    the columns in `whole` are not). A table that is still too wide loses columns of `spare`, those
    without values first, as --json has them. One that is too wide even then is printed as one block
    of lines for each row. Without rows, nothing is printed. Elsewhere, rows are tab-separated.
    Booleans, objects and arrays are printed as JSON.
    """
    found = [list(row) for row in rows]
    terminal = console.out()
    if not terminal.is_terminal:
        lines = (columns, *found)
        console.write("".join("\t".join(map(plain, line)) + "\n" for line in lines))
        return
    if not found:
        return
    cells = [[text(cell) for cell in row] for row in found]
    numeric = [_is_numeric([row[place] for row in found]) for place in range(len(columns))]
    firm = [numeric[place] or name in whole for place, name in enumerate(columns)]
    natural = _natural(columns, cells)
    narrowest = NARROWEST_OF_MANY if spare else NARROWEST
    for kept in _choices(columns, found, spare):
        available = terminal.width - _around(len(kept), framed)
        widths = _fit([natural[n] for n in kept], [firm[n] for n in kept], available, narrowest)
        if widths is not None:
            names, numbers = [columns[n] for n in kept], [numeric[n] for n in kept]
            drawn = [[row[n] for n in kept] for row in cells]
            _draw_table(title, names, drawn, numbers, widths, framed)
            hidden = [columns[n] for n in _filled(found, set(range(len(columns))).difference(kept))]
            if hidden:
                console.say(f"There is no room for {', '.join(hidden)}; --json has everything.")
            return
    _draw_blocks(title, columns, cells)


def room(
    width: int, columns: Sequence[str], rows: Sequence[Sequence[object]], *, framed: bool = True
) -> int:
    """How wide one more column can be beside these, with their texts folded as far as they go."""
    natural = _natural(columns, [[text(cell) for cell in row] for row in rows])
    least = [
        wide if _is_numeric([row[place] for row in rows]) else min(wide, NARROWEST)
        for place, wide in enumerate(natural)
    ]
    return width - sum(least) - _around(len(columns) + 1, framed)


def text(cell: object) -> str:
    """A cell as people read it: `1,234.57`, `-` for an unknown or empty value."""
    if cell is None or cell == "":
        return "-"
    if isinstance(cell, bool):
        return plain(cell)
    if isinstance(cell, int):
        return f"{cell:,}"
    if isinstance(cell, float):
        return f"{cell:,.0f}" if 1e5 <= abs(cell) < 1e15 else f"{cell:,.6g}"
    return plain(cell)


def plain(cell: object) -> str:
    """A cell as programs read it: JSON for booleans, objects and arrays, nothing for an unknown."""
    import json

    if cell is None:
        return ""
    if isinstance(cell, bool | dict | list):
        return printable_json(json.dumps(cell, ensure_ascii=False))
    return printable(str(cell))


def _around(columns: int, framed: bool) -> int:
    """Characters of a line that do not belong to a cell."""
    return FRAMED * columns + 1 if framed else BARE * (columns - 1)


def _is_numeric(cells: Sequence[object]) -> bool:
    """Whether all known cells are numbers, of which there is one."""
    known = [cell for cell in cells if cell is not None]
    return bool(known) and all(
        isinstance(cell, int | float) and not isinstance(cell, bool) for cell in known
    )


def _natural(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> list[int]:
    from rich.cells import cell_len

    return [
        max(map(cell_len, (name, *(row[place] for row in cells))))
        for place, name in enumerate(columns)
    ]


def _choices(
    columns: Sequence[str], rows: Sequence[Sequence[object]], spare: Sequence[str]
) -> Iterator[list[int]]:
    """Places of the columns to draw: all of them, then ever fewer."""
    kept = list(range(len(columns)))
    yield list(kept)
    places = [columns.index(name) for name in spare]
    filled = _filled(rows, places)
    for place in sorted(places, key=filled.__contains__):
        kept.remove(place)
        yield list(kept)


def _filled(rows: Sequence[Sequence[object]], places: Iterable[int]) -> list[int]:
    """Those of these columns that have values."""
    return [n for n in sorted(places) if any(row[n] not in (None, "") for row in rows)]


def _fit(natural: list[int], firm: list[bool], width: int, narrowest: int) -> list[int] | None:
    """Widths of columns that fit, or None; narrows the widest column that can be folded."""
    widths = list(natural)
    excess = sum(widths) - width
    while excess > 0:
        place = max(
            (n for n in range(len(widths)) if not firm[n] and widths[n] > narrowest),
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
    framed: bool,
) -> None:
    from rich.table import Table
    from rich.text import Text

    drawn = (
        Table(header_style="bold")
        if framed
        else Table(header_style="bold", box=None, pad_edge=False, padding=(0, BARE, 0, 0))
    )
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
