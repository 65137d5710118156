"""Loads the history of gauges quickly: rows by COPY, then the jobs that production runs.

This module alone knows which table and which jobs those are.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import psycopg
from numpy.typing import NDArray

from bench import binary_copy
from supervisor_mcp.json_text import Body, own_adapters

SAMPLES = ("data", "sample")
# A piece keeps the memory for its binary form small.
PIECE = 1_000_000
REGISTER_ITEMS = 1000
INGEST = """
select answer, kinds
from api.ingest_metrics(
    p_body => %(body)s, p_partial => %(partial)s,
    p_idempotency_key => %(idempotency_key)s, p_now => %(now)s
)
"""
SERIES = """
select source.name, kind.name, series.series_id, series.kind_id
from data.series inner join data.kind using (kind_id) inner join data.source using (source_id)
where kind.name = any(%s)
"""
# Those of the service, and of its continuous aggregates; other tables of data follow by name.
HYPERTABLES = """
select format('%I.%I', hypertable_schema, hypertable_name)
from timescaledb_information.hypertables
where hypertable_schema = 'data'
union
select format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name)
from timescaledb_information.continuous_aggregates
where view_schema = 'data'
"""
HAS_COLUMNSTORE = (
    "select from _timescaledb_catalog.compression_settings where relid = %s::text::regclass"
)
TABLES = """
select coalesce(sum(pg_total_relation_size(oid)), 0)
from pg_class
where
    relnamespace = 'data'::regnamespace
    and relkind = 'r'
    and format('%%I.%%I', relnamespace::regnamespace, relname) <> all(%s::text[])
"""
ROLLUPS = "proc_schema = 'internal' and proc_name in ('refresh_late', 'refresh_rollups')"
RECENT = "proc_schema = 'internal' and proc_name = 'refresh_recent'"
COLUMNSTORE = "proc_name in ('policy_compression', 'policy_columnstore')"


def connect(url: str) -> psycopg.Connection:
    """Connect as operations do: what is sent as JSON goes to SQL as it is."""
    return psycopg.connect(url, autocommit=True, prepare_threshold=None, context=own_adapters())


def send(conn: psycopg.Connection, body: bytes) -> None:
    """Ingest metrics by SQL."""
    sent = {
        "body": Body(body),
        "partial": False,
        "idempotency_key": None,
        "now": datetime.now(UTC),
    }
    conn.execute(INGEST, sent)


def load(
    conn: psycopg.Connection,
    kinds: Sequence[str],
    sources: Sequence[str],
    instants: NDArray[np.float64],
    values: NDArray[np.float64],
) -> int:
    """Store a sample of every kind and source at every instant; how many.

    `values` are those of one kind, by instant and source; all kinds have the same. The newest
    instant is ingested, which registers the series. The rest is copied.
    """
    _register(conn, kinds, sources, instants[-1], values[-1])
    places = {source: place for place, source in enumerate(sources)}
    found = conn.execute(SERIES, [list(kinds)]).fetchall()
    order = np.array([places[source] for source, *_ in found])
    series = np.array([series for *_, series, _ in found], np.int64)
    kind = np.array([kind for *_, kind in found], np.int64)
    step = max(1, PIECE // len(found))
    for at in range(0, len(instants) - 1, step):
        upto = min(at + step, len(instants) - 1)
        copy(conn, series, kind, instants[at:upto], values[at:upto, order])
    return len(instants) * len(found)


def copy(
    conn: psycopg.Connection,
    series: NDArray[np.int64],
    kinds: NDArray[np.int64],
    instants: NDArray[np.float64],
    values: NDArray[np.float64],
) -> None:
    """Store a sample of each series at each instant."""
    count = values.size
    columns: dict[str, binary_copy.Column] = {
        "series_id": np.tile(series, len(instants)),
        "kind_id": np.tile(kinds, len(instants)),
        "ts": np.repeat(binary_copy.timestamps(instants), len(series)),
        "seq": np.zeros(count, np.int64),
        "value": values.ravel(),
        "observations": np.ones(count, np.int32),
        "counter": np.zeros(count, np.bool_),
    }
    binary_copy.copy(conn, SAMPLES, columns)


def refresh(conn: psycopg.Connection) -> float:
    """Run the jobs that roll samples up; seconds."""
    # What it does depends on how far the rollups are.
    return _run_jobs(conn, ROLLUPS) + _run_jobs(conn, RECENT)


def compress(conn: psycopg.Connection) -> float:
    """Run the columnstore policies; seconds."""
    return _run_jobs(conn, COLUMNSTORE)


def vacuum(conn: psycopg.Connection) -> None:
    """Do at once what a server does by itself while the first questions come."""
    conn.execute("vacuum (analyze)")
    conn.execute("checkpoint")


def compress_all(conn: psycopg.Connection) -> None:
    """Convert what the policies would convert later as well."""
    for name in _hypertables(conn):
        if conn.execute(HAS_COLUMNSTORE, [name]).fetchone() is not None:
            conn.execute("select compress_chunk(chunk, true) from show_chunks(%s) as chunk", [name])


def size(conn: psycopg.Connection) -> int:
    """Bytes of everything in data, with indexes."""
    names = _hypertables(conn)
    hypertables = conn.execute(
        "select sum(hypertable_size(name)) from unnest(%s::regclass[]) as name", [names]
    )
    tables = conn.execute(TABLES, [names])
    return sum(int(row[0]) for found in (hypertables, tables) for row in found.fetchall())


def _hypertables(conn: psycopg.Connection) -> list[str]:
    return [name for (name,) in conn.execute(HYPERTABLES.encode()).fetchall()]


def _register(
    conn: psycopg.Connection,
    kinds: Sequence[str],
    sources: Sequence[str],
    instant: float,
    values: NDArray[np.float64],
) -> None:
    ts = datetime.fromtimestamp(instant, UTC).isoformat()
    items = [
        {"name": kind, "source": source, "value": float(value), "ts": ts}
        for kind in kinds
        for source, value in zip(sources, values, strict=True)
    ]
    for at in range(0, len(items), REGISTER_ITEMS):
        send(conn, json.dumps(items[at : at + REGISTER_ITEMS]).encode())


def _run_jobs(conn: psycopg.Connection, condition: str) -> float:
    chosen = f"select job_id from timescaledb_information.jobs where {condition} order by job_id"
    jobs = conn.execute(chosen.encode()).fetchall()
    started = time.perf_counter()
    for job in jobs:
        conn.execute("call run_job(%s)", job)
    return time.perf_counter() - started
