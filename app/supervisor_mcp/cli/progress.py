"""How far a command is: bars and spinners on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from supervisor_mcp.cli import console
from supervisor_mcp.cli.escape import printable

# Between two lines where there is no terminal.
LINE_SECONDS = 5.0


@contextmanager
def bar(
    title: str, total: int, unit: str = "rows", line_seconds: float = LINE_SECONDS
) -> Iterator[Callable[[int], None]]:
    """Show a progress bar; without a terminal, a line in every `line_seconds`.

    Call what it yields with the number of new rows.
    """
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
        started = said = time.monotonic()
        done = 0

        def advance(rows: int) -> None:
            nonlocal done, said
            done += rows
            now = time.monotonic()
            rate = f"{done / max(now - started, 1e-9):,.0f} {unit}/s"
            shown.update(task, advance=rows, rate=rate)
            if not notes.is_terminal and now - said >= line_seconds:
                said = now
                console.say(f"{title}: {done:,} of {total:,} ({rate})")

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
        said = title

        def say(line: str) -> None:
            nonlocal said
            if line != said:
                write(line)
            said = line

        yield say
        return
    with notes.status(Text(printable(title))) as status:
        yield lambda line: status.update(Text(printable(line)))
