"""supervisor-mcp import: CSV and NDJSON into the running service."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor_mcp.cli import console
from supervisor_mcp.cli.failure import INTERRUPTED, Failure
from supervisor_mcp.cli.parameters import read_labels
from supervisor_mcp.cli.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from supervisor_mcp.cli.client import Client
    from supervisor_mcp.cli.files import Defaults, InputFile
    from supervisor_mcp.cli.ingest import Row, Tally

STANDARD_INPUT = "-"


def import_files(
    files: Annotated[
        list[str],
        typer.Argument(
            help="CSV or NDJSON files; - is standard input. Or the folder of an export.",
            metavar="FILE",
        ),
    ],
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind",
            "--name",
            help="Kind of items without one; by default, a CSV file's name without its ending.",
        ),
    ] = None,
    source: Annotated[str | None, typer.Option(help="Source of items without one.")] = None,
    type_: Annotated[
        str | None,
        typer.Option("--type", help="gauge, counter or histogram, for metrics without a type."),
    ] = None,
    unit: Annotated[str | None, typer.Option(help="Unit of metrics without one.")] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Label to add to metrics; repeatable."),
    ] = None,
    shift_to_now: Annotated[
        bool, typer.Option("--shift-to-now", help="Move each file so that its newest row is now.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Import CSV (timestamp,value) and NDJSON (one item a line).

    After an interruption, run the command again: rows that are stored already count as
    duplicates. Rejected rows are counted and listed, and the exit status is 1; the others are
    stored.

    The folder of an export goes into a database without data, before a service uses it.
    """
    import time
    from pathlib import Path

    from supervisor_mcp.cli.client import connect, load_settings
    from supervisor_mcp.cli.files import Defaults
    from supervisor_mcp.cli.ingest import Tally

    defaults = Defaults(kind, source, type_, unit, read_labels(label))
    if any(Path(name).is_dir() for name in files):
        _import_folder(files, defaults, shift_to_now, as_json)
        return
    settings = load_settings()
    tally = Tally()
    notes: list[str] = []
    started = time.monotonic()
    with connect(settings) as client:
        client.get("/livez")
        try:
            for name in files:
                with _opened(name) as file:
                    anchors = settings.data_dir / "imports"
                    note = _import(client, file, defaults, shift_to_now, anchors, tally)
                notes += [note] if note else []
        except KeyboardInterrupt:
            raise Failure(
                "The import was interrupted.",
                INTERRUPTED,
                hint="Run the same command again to continue.",
            ) from None
        finally:
            if tally.rows or sys.exc_info()[0] is None:
                _report(tally, time.monotonic() - started, notes, as_json)
    tally.raise_if_rejected()


def _import_folder(files: list[str], defaults: Defaults, shift: bool, as_json: bool) -> None:
    from pathlib import Path

    from supervisor_mcp.cli.exports import import_folder
    from supervisor_mcp.cli.failure import USAGE
    from supervisor_mcp.cli.files import Defaults

    if len(files) > 1 or shift or defaults != Defaults(None, None, None, None, read_labels(None)):
        raise Failure(
            "The folder of an export is imported alone and as it is.",
            USAGE,
            hint="Leave out the other files and options.",
        )
    import_folder(Path(files[0]), as_json)


@contextmanager
def _opened(name: str) -> Iterator[InputFile]:
    """A file, or standard input in a temporary file, because an import reads its input twice."""
    from pathlib import Path
    from shutil import copyfileobj
    from tempfile import NamedTemporaryFile

    from supervisor_mcp.cli.files import InputFile

    if name != STANDARD_INPUT:
        yield InputFile.at(Path(name))
        return
    with NamedTemporaryFile(prefix="supervisor-mcp-") as spooled:
        copyfileobj(sys.stdin.buffer, spooled)
        spooled.flush()
        yield InputFile(Path(spooled.name), shown="<stdin>", short="<stdin>", kind=None)


def _import(
    client: Client,
    file: InputFile,
    defaults: Defaults,
    shift: bool,
    anchors: Path,
    tally: Tally,
) -> str | None:
    """Import one file. The answer is a note for the user, if there is one."""
    from supervisor_mcp.cli import progress, timestamps
    from supervisor_mcp.cli.import_plan import identity, plan_import, rows
    from supervisor_mcp.cli.ingest import Row, ingest
    from supervisor_mcp.cli.timestamps import Anchor

    plan = plan_import(file, defaults)
    present = timestamps.now()
    anchor = Anchor(began=present, shift=0)
    if shift and plan.newest is not None:
        anchor = Anchor(began=present, shift=present - plan.newest)
    note = None
    if anchor.shift or plan.undated:
        name = identity(file, defaults, client.url) + ("-shifted" if shift else "")
        anchor, is_known = timestamps.remember(anchors / f"{name}.json", anchor)
        if is_known:
            note = (
                f"{file.short} keeps the times of its import on {timestamps.write(anchor.began)};"
                f" delete {anchors / name}.json to import it with new ones."
            )
    with progress.bar(file.short, plan.lines) as done:

        def readable() -> Iterator[Row]:
            for entry in rows(file, defaults, anchor):
                if isinstance(entry, Row):
                    yield entry
                else:
                    tally.reject(f"{file.short}:{entry.line}", entry.detail)
                    done(1)

        ingest(client, readable(), tally, done)
    return note


def _report(tally: Tally, seconds: float, notes: list[str], as_json: bool) -> None:
    import msgspec

    summary = {
        **tally.counts(),
        "seconds": round(seconds, 3),
        "rows_per_second": round(tally.rows / seconds),
    }
    if as_json:
        answer = {**summary, "reasons": tally.reasons, "notes": notes}
        console.echo(msgspec.json.encode(answer))
        return
    table("Imported", list(summary), [list(summary.values())])
    for note in notes:
        console.say(note)
    tally.print_conflicts()
    tally.print_reasons()
