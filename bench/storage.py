"""What it takes to roll samples up, and how much of the disk they need."""

from __future__ import annotations

from pathlib import Path

import psycopg

from bench import aggregates, history
from bench.measures import Measure, milliseconds
from bench.servers import timescaledb

# The samples alone, as a hypertable of three columns in the columnstore.
PLAIN = (
    "create table public.bench_plain ("
    " series_id bigint not null, ts timestamptz not null, value double precision not null)",
    "select create_hypertable("
    " 'public.bench_plain', by_range('ts', interval '7 days'), create_default_indexes => false)",
    "alter table public.bench_plain set (timescaledb.enable_columnstore,"
    " timescaledb.segmentby = 'series_id', timescaledb.orderby = 'ts')",
    "insert into public.bench_plain select series_id, ts, value from data.sample",
    "select compress_chunk(chunk) from show_chunks('public.bench_plain') as chunk",
)
BY_HOUR = """
select sum(n), sum(total), min(low), max(high)
from (
    select count(*) as n, sum(value) as total, min(value) as low, max(value) as high
    from data.sample
    group by series_id, time_bucket('1 hour', ts)
) as hour
"""


def storage(folder: Path, server_url: str | None, samples: int) -> list[Measure]:
    """Rows/s of the refresh of everything, and bytes a sample with rollups, after compression."""
    with (
        timescaledb(folder / "storage", server_url) as url,
        history.connect(url) as conn,
    ):
        empty = history.size(conn)
        count = aggregates.fill(conn, samples)
        scanned = milliseconds(lambda: conn.execute(BY_HOUR))
        refreshed = history.refresh(conn)
        history.compress_all(conn)
        used = history.size(conn) - empty
        plain = _plain_size(conn)
    return [
        Measure(
            f"refresh of everything, {count:,} samples",
            "rows/s",
            count / refreshed,
            250_000 if server_url else None,
            "count, sum, min and max by series and hour",
            count / scanned * 1000,
        ),
        Measure(
            "disk, with rollups, after compression",
            "B/sample",
            used / count,
            12 if server_url else None,
            "series, time and value alone",
            plain / count,
            higher_is_better=False,
        ),
    ]


def _plain_size(conn: psycopg.Connection) -> int:
    for statement in PLAIN:
        conn.execute(statement.encode())
    row = conn.execute("select hypertable_size('public.bench_plain')").fetchone()
    assert row is not None
    return int(row[0])
