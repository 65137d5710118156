"""Standard output for answers, standard error for everything else."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

import typer

from supervisor_mcp.cli.escape import printable, printable_json
from supervisor_mcp.cli.failure import OUTPUT_CLOSED, Failure

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


PIECE = 16_384


def out() -> Console:
    """A console that formats for standard output; `show` and `write` print what it makes."""
    from rich.console import Console

    return Console()


def notes() -> Console:
    """A console that writes to standard error."""
    from rich.console import Console

    return Console(stderr=True, soft_wrap=True)


def is_terminal() -> bool:
    """Whether answers go to a terminal."""
    return out().is_terminal


def write(text: str) -> None:
    """Write to standard output, and all of it.

    Raises Failure when there is no room, and ends the command quietly when nobody reads on.
    """
    if sys.stdout is None:
        raise Failure("Cannot write to standard output: it is closed.")
    try:
        # In pieces, because with PYTHONUNBUFFERED a write to a closing pipe is silently cut short.
        for begin in range(0, len(text), PIECE):
            sys.stdout.write(text[begin : begin + PIECE])
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()
        raise typer.Exit(OUTPUT_CLOSED) from None
    except OSError as error:
        discard_output()
        raise Failure(f"Cannot write to standard output: {error.strerror}.") from None


def discard_output() -> None:
    """Lose what is still buffered, so that the interpreter does not try to write it at its end."""
    if sys.stdout is None:
        return
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def show(*lines: RenderableType, soft_wrap: bool = True) -> None:
    """Print what rich renders to standard output."""
    console = out()
    with console.capture() as capture:
        for line in lines:
            console.print(line, soft_wrap=soft_wrap)
    write(capture.get())


def echo(answer: bytes) -> None:
    """Print a JSON answer as it came; only control characters in its strings are escaped."""
    write(printable_json(answer.decode()).rstrip("\n") + "\n")


def say(line: str, style: str = "") -> None:
    """Print text to standard error; control characters other than line feeds are escaped."""
    from rich.text import Text

    # That standard error cannot be written cannot be reported.
    with suppress(OSError):
        notes().print(Text(printable(line, keep="\n"), style=style))


def command() -> str:
    """How this command line was called, as it can be typed again."""
    name = "supervisor-mcp"
    called = Path(sys.argv[0])
    if called.name != name or which(name) == str(called) or not called.exists():
        return name
    return os.path.relpath(called)
