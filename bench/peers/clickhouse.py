"""ClickHouse as chdb, in this process, on a MergeTree."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
from chdb.session import Session

from bench.peers import sql_rows
from bench.peers.peer import Peer
from bench.peers.questions import Answer, Question, Window
from bench.peers.samples import Batch, Samples

EXPRESSIONS = {
    "count": "count()",
    "sum": "sum(value)",
    "avg": "avg(value)",
    "min": "min(value)",
    "max": "max(value)",
    "stddev": "stddevPop(value)",
    "last": "max((ts, value)).2",
}
CREATE = """
create table {name} (source LowCardinality(String), ts DateTime64(3, 'UTC'), value Float64)
engine = MergeTree order by (source, ts)
"""


@contextmanager
def clickhouse(folder: Path, samples: Samples) -> Iterator[list[Peer]]:
    """Load the samples as one part."""
    file = folder / "sample.parquet"
    session = Session(str(folder / "clickhouse"))
    try:
        session.query("create database bench")
        session.query("use bench")
        for name in ("sample", "ingested"):
            session.query(CREATE.format(name=name))
        pa.parquet.write_table(samples.table, file)
        session.query(f"insert into sample select * from file('{file}', Parquet)")
        session.query("optimize table sample final")
        file.unlink()
        version = f"ClickHouse {session.query('select version()', 'TSV').data().strip()} (chdb)"
        yield [
            ClickHouse(session, version),
            Sketches(session, version),
        ]
    finally:
        session.close()


class ClickHouse(Peer):
    """Asked in the process; percentiles are exact."""

    name = "ClickHouse"
    durable: bool | None = False
    ingest_note = "not synchronized to disk"
    quantiles = "quantilesExactInclusive({})(value)"

    def __init__(self, session: Session, version: str) -> None:
        self._session = session
        self.version = version

    def ask(self, question: Question, window: Window) -> bytes:
        """One SELECT."""
        expressions = [EXPRESSIONS[name] for name in question.plain]
        if question.quantiles:
            shares = ", ".join(map(str, question.quantiles.values()))
            expressions.append(self.quantiles.format(shares))
        select = sql_rows.select(question, window, expressions, _moment)
        return bytes(self._session.query(select, "JSONCompact").bytes())

    def read(self, question: Question, window: Window, fetched: Any) -> Answer:
        """From JSON."""
        return sql_rows.read(question, window, json.loads(fetched)["data"])

    def encode(self, batch: Batch) -> pa.Table:
        """As an Arrow table."""
        return batch.table

    def ingest(self, encoded: pa.Table) -> None:
        """One INSERT."""
        self._session.query("insert into ingested select * from Python(encoded)")


class Sketches(ClickHouse):
    """Percentiles come from DDSketches, as ours do."""

    name = "ClickHouse, DDSketch"
    durable = None
    ingest_note = ""
    quantiles = "quantilesDD(0.01, {})(value)"

    def answers(self, question: Question) -> bool:
        """Only percentiles differ."""
        return bool(question.quantiles)


def _moment(at: float) -> str:
    return f"fromUnixTimestamp64Milli({round(at * 1000)})"
