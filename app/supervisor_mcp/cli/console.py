"""What the terminal shows: tables, bars and lines; plain text where there is no terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import which

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text


def out() -> Console:
    """The console of answers: standard output as it is now."""
    return Console(highlight=False, soft_wrap=True)


def notes() -> Console:
    """The console of everything else: standard error as it is now."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def say(line: str, style: str = "") -> None:
    """Print a line to standard error; it is text, never markup."""
    notes().print(Text(line, style=style))


def command() -> str:
    """How this command line was called, as it can be typed again."""
    name = "supervisor-mcp"
    called = Path(sys.argv[0])
    if called.name != name or which(name) == str(called) or not called.exists():
        return name
    return os.path.relpath(called)


def echo(answer: bytes) -> None:
    """Print an answer of the service as it came."""
    sys.stdout.write(answer.decode().rstrip("\n") + "\n")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows: drawn on a terminal, else tab-separated under a line of column names.

    Columns that hold numbers only stand to the right.
    """
    console = out()
    found = list(rows)
    if not console.is_terminal:
        for row in (columns, *found):
            sys.stdout.write("\t".join(map(_plain, row)) + "\n")
        return
    console.print(Text(title, style="bold"))
    drawn = Table(header_style="bold")
    for place, name in enumerate(columns):
        numeric = found and all(
            row[place] is None or isinstance(row[place], int | float) for row in found
        )
        drawn.add_column(Text(name), justify="right" if numeric else "left")
    for row in found:
        drawn.add_row(*(Text(text(cell)) for cell in row))
    console.print(drawn, soft_wrap=False)


def text(cell: object) -> str:
    """A cell as people read it: `1,234.57`, `-` for what is unknown."""
    if cell is None:
        return "-"
    if isinstance(cell, int) and not isinstance(cell, bool):
        return f"{cell:,}"
    if isinstance(cell, float):
        return f"{cell:,.0f}" if 1e6 <= abs(cell) < 1e15 else f"{cell:,.6g}"
    return str(cell)


def _plain(cell: object) -> str:
    return "" if cell is None else str(cell).replace("\t", " ").replace("\n", " ")


class _Rate(ProgressColumn):
    """Rows a second, over the whole task once it is done."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} rows/s" if speed else "", style="progress.data.speed")


@contextmanager
def bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show how far the work is, on a terminal only; the callable is told of rows done."""
    console = notes()
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task(title, total=total)
        yield lambda rows: progress.advance(task, rows)


@contextmanager
def step(title: str) -> Iterator[Callable[[str], None]]:
    """Show what is being waited for: a spinner on a terminal, else a line for every step.

    The callable names the next step.
    """
    console = notes()
    if not console.is_terminal:
        say(title)
        yield say
        return
    with console.status(Text(title)) as status:
        yield lambda line: status.update(Text(line))
