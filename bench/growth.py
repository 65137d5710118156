"""How aggregates grow with the samples behind them: `python -m bench.growth DSN`, native.

Asks every question of a database of each size by SQL, in turns, so that all sizes meet the same
machine. An answer that reads rollups alone takes as long in each. The part of an hour that the
window before begins with is read from samples, so each is asked at four times of the hour.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import cycle
from pathlib import Path

from psycopg import Connection
from rich.console import Console
from rich.table import Table

from bench import aggregates, history
from bench.measures import medians_ms
from bench.servers import timescaledb

SIZES = (1_000_000, 8_640_000, 40_000_000)
# The longest answer may take so many times the shortest one.
FLAT = 1.3
# How long after its time a question is asked: before it, recent hours would not be read.
LATER = tuple(timedelta(minutes=minutes) for minutes in (0, 15, 30, 45))


def main() -> None:
    """Load every size, ask every question of each and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument("database_url", help="superuser's DSN on a native server")
    parser.add_argument("--samples", type=int, nargs="+", default=SIZES, help="sizes to compare")
    sent = parser.parse_args()
    with ExitStack() as stack:
        connections = []
        for samples in sent.samples:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            url = stack.enter_context(timescaledb(folder, sent.database_url))
            connections.append(stack.enter_context(history.connect(url)))
            _load(connections[-1], samples)
        _print(sent.samples, connections)


def _load(conn: Connection, samples: int) -> None:
    aggregates.fill(conn, samples)
    history.refresh(conn)
    history.compress(conn)
    history.vacuum(conn)


def _print(sizes: list[int], connections: list[Connection]) -> None:
    table = Table(title="ms by SQL, not cached", title_justify="left")
    for heading in ("question", *(f"{samples:,} samples" for samples in sizes), "longest/shortest"):
        table.add_column(heading, justify="left" if heading == "question" else "right")
    for question in aggregates.QUESTIONS:
        if question.kind is None:
            continue
        figures = medians_ms(
            *(partial(_ask, conn, question, cycle(LATER)) for conn in connections),
            warm_up=aggregates.WARM_UP,
        )
        ratio = max(figures) / min(figures)
        missed = " (missed)" if ratio > FLAT else ""
        table.add_row(
            question.name, *(f"{figure:.3g}" for figure in figures), f"{ratio:.2f}{missed}"
        )
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def _ask(conn: Connection, question: aggregates.Question, later: Iterator[timedelta]) -> None:
    now = datetime.now(UTC) + next(later)
    conn.execute(aggregates.BY_SQL, {**question.arguments, "now": now})


if __name__ == "__main__":
    main()
