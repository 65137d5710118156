"""DuckDB, in this process, on a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from bench.peers import sql_rows
from bench.peers.peer import Peer
from bench.peers.questions import Answer, Question, Window
from bench.peers.samples import Batch, Samples

EXPRESSIONS = {
    "count": "count(*)",
    "sum": "sum(value)",
    "avg": "avg(value)",
    "min": "min(value)",
    "max": "max(value)",
    "stddev": "stddev_pop(value)",
    "last": "(max({'ts': ts, 'value': value})).value",
}


@contextmanager
def duck(folder: Path, samples: Samples) -> Iterator[list[Peer]]:
    """Load the samples, ordered by source and time."""
    with duckdb.connect(str(folder / "duckdb")) as conn:
        rows = samples.table  # noqa: F841 - DuckDB finds it by its name
        conn.execute("create table sample (source varchar, ts timestamp, value double)")
        conn.execute("create table ingested (source varchar, ts timestamp, value double)")
        conn.execute("insert into sample select * from rows order by source, ts")
        conn.execute("checkpoint")
        yield [DuckDB(conn)]


class DuckDB(Peer):
    """Asked in the process; percentiles are exact."""

    name = "DuckDB"
    version = f"DuckDB {duckdb.__version__}"
    durable: bool | None = True

    def __init__(self, conn: duckdb.DuckDBPyConnection) -> None:
        self._conn = conn

    def ask(self, question: Question, window: Window) -> Any:
        """One SELECT."""
        expressions = [EXPRESSIONS[name] for name in question.plain]
        if question.quantiles:
            expressions.append(f"quantile_cont(value, {list(question.quantiles.values())})")
        select = sql_rows.select(question, window, expressions, _moment)
        return self._conn.execute(select).fetchall()

    def read(self, question: Question, window: Window, fetched: Any) -> Answer:
        """From rows."""
        return sql_rows.read(question, window, fetched)

    def encode(self, batch: Batch) -> pa.Table:
        """As an Arrow table."""
        return batch.table

    def ingest(self, encoded: pa.Table) -> None:
        """One INSERT, which is synchronized to disk."""
        self._conn.execute("insert into ingested select * from encoded")


def _moment(at: float) -> str:
    return f"timestamp '{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S.%f}'"
