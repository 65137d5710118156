"""supervisor-mcp import: CSV and NDJSON files into the running service."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from supervisor_mcp import config
from supervisor_mcp.cli import console, timestamps
from supervisor_mcp.cli.client import Client, connect
from supervisor_mcp.cli.failure import FAILED, INTERRUPTED, USAGE, Failure
from supervisor_mcp.cli.files import Defaults, Fault
from supervisor_mcp.cli.import_plan import identity, plan_import, rows
from supervisor_mcp.cli.ingest import Row, Tally, ingest
from supervisor_mcp.cli.timestamps import Anchor


def import_files(
    files: Annotated[list[Path], typer.Argument(help="CSV or NDJSON files.", metavar="FILE…")],
    kind: Annotated[
        str | None,
        typer.Option("--kind", "--name", help="Kind of items that name none; else a CSV's name."),
    ] = None,
    source: Annotated[str | None, typer.Option(help="Source of items that name none.")] = None,
    type_: Annotated[
        str | None, typer.Option("--type", help="gauge, counter or histogram, where unsaid.")
    ] = None,
    unit: Annotated[str | None, typer.Option(help="Unit of metrics, where unsaid.")] = None,
    label: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Label to add to metrics.")
    ] = None,
    shift_to_now: Annotated[
        bool, typer.Option("--shift-to-now", help="Move each file so that its newest row is now.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Import CSV (timestamp,value) and NDJSON (metric or fact items) into the running service.

    Run it again after an interruption: rows that are stored already count as duplicates. Rows
    that the service refuses are counted and named; the others are stored.
    """
    defaults = Defaults(kind, source, type_, unit, _labels(label or []))
    settings = config.load()
    tally = Tally()
    started = time.monotonic()
    with connect(settings) as client:
        client.get("/livez")
        try:
            for file in files:
                _import(client, file, defaults, shift_to_now, settings.data_dir / "imports", tally)
        except KeyboardInterrupt:
            raise Failure(
                "Interrupted; run the same command again to go on.", INTERRUPTED
            ) from None
        finally:
            if tally.rows or sys.exc_info()[0] is None:
                _report(tally, time.monotonic() - started, as_json)
    if tally.rows and tally.rejected == tally.rows:
        raise Failure("Not one row was stored; the reasons are above.", FAILED)


def _import(
    client: Client, file: Path, defaults: Defaults, shift: bool, kept: Path, tally: Tally
) -> None:
    found = plan_import(file, defaults)
    present = timestamps.now()
    anchor = Anchor(began=present, shift=0)
    if shift and found.newest is not None:
        anchor = Anchor(began=present, shift=present - found.newest)
    if anchor.shift or found.undated:
        name = identity(file, defaults, client.url) + ("-shifted" if shift else "")
        anchor, known = timestamps.remember(kept / f"{name}.json", anchor)
        if known:
            console.say(
                f"{file.name} goes to the same instants as on {timestamps.write(anchor.began)};"
                f" delete {kept / name}.json to import it anew."
            )
    with console.bar(file.name, found.lines) as done:

        def readable() -> Iterator[Row]:
            for entry in rows(file, defaults, anchor):
                if isinstance(entry, Row):
                    yield entry
                else:
                    _refuse(entry, file, tally)
                    done(1)

        ingest(client, readable(), tally, done)


def _refuse(fault: Fault, file: Path, tally: Tally) -> None:
    tally.reject(f"{file.name}:{fault.line}", fault.detail)


def _report(tally: Tally, seconds: float, as_json: bool) -> None:
    summary = {
        "rows": tally.rows,
        **{name: n for name, n in asdict(tally).items() if name != "reasons"},
        "seconds": round(seconds, 3),
        "rows_per_second": round(tally.rows / seconds),
    }
    if as_json:
        reasons = [asdict(reason) for reason in tally.reasons]
        console.echo(msgspec.json.encode({**summary, "reasons": reasons}))
        return
    console.table("Imported", list(summary), [list(summary.values())])
    for reason in tally.reasons:
        console.say(f"{reason.place}: {reason.detail}")
    if tally.rejected > len(tally.reasons):
        console.say(f"… and {tally.rejected - len(tally.reasons):,} more rows were rejected.")


def _labels(given: list[str]) -> dict[str, str]:
    labels = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise Failure(f'--label "{pair}" is not KEY=VALUE.', USAGE)
        labels[name] = value
    return labels
