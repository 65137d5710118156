"""How far a command is: bars and spinners on a terminal, plain lines or nothing elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from supervisor_mcp.cli import console
from supervisor_mcp.cli.escape import printable


@contextmanager
def bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a progress bar, on a terminal only; call what it yields with the number of new rows."""
    from rich import progress

    notes = console.notes()
    with progress.Progress(
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.fields[rate]}", style="progress.data.speed"),
        progress.TimeRemainingColumn(),
        console=notes,
        disable=not notes.is_terminal,
    ) as shown:
        task = shown.add_task(printable(title), total=total, rate="")
        started = time.monotonic()
        done = 0

        def advance(rows: int) -> None:
            nonlocal done
            done += rows
            per_second = done / max(time.monotonic() - started, 1e-9)
            shown.update(task, advance=rows, rate=f"{per_second:,.0f} rows/s")

        yield advance


@contextmanager
def step(title: str, write: Callable[[str], None] = console.say) -> Iterator[Callable[[str], None]]:
    """Show the current step: a spinner on a terminal, else `write` each step.

    Call what it yields with the name of the next step.
    """
    from rich.text import Text

    notes = console.notes()
    if not notes.is_terminal:
        write(title)
        yield write
        return
    with notes.status(Text(printable(title))) as status:
        yield lambda line: status.update(Text(printable(line)))
