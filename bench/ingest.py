"""Ingest of metrics: batches over HTTP beside binary COPY, and single items."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import numpy as np
import psycopg

from bench import history, keep_alive, load
from bench.measures import Measure, medians_ms
from bench.servers import Target

KIND = "bench_ingest"
SERIES = 100
ROUNDS = 5
CALLS = 200
COPIED = 10_000
# Requests of one client, and how many clients send ten times as many.
SINGLE = 300
CLIENTS = 64
# Rows of a batch, batches of a round, clients; what part of COPY is the aim on a native server,
# and how many rows/s on the embedded one.
SHAPES: tuple[tuple[int, int, int, float | None, float | None], ...] = (
    (100, 20, 1, None, None),
    (1000, 20, 1, 0.35, 40_000),
    (10_000, 3, 1, 0.5, None),
    (10_000, 4, 4, 0.7, None),
)
ROW = """
create table if not exists public.bench_row (ts timestamptz not null, value double precision)
"""


def ingest(target: Target) -> list[Measure]:
    """Rows/s of batches, and milliseconds of one item."""
    numbers = count()
    with history.connect(target.database_url) as conn:
        history.send(conn, batch(next(numbers), SERIES))
        return [
            *_batches(target, conn, numbers),
            *_items(target, conn, numbers),
            _shared(target),
        ]


def _batches(target: Target, conn: psycopg.Connection, numbers: Iterator[int]) -> list[Measure]:
    by_http: dict[tuple[int, int], list[float]] = {}
    by_sql: list[float] = []
    by_copy: list[float] = []
    for turn in range(ROUNDS + 1):
        for rows, batches, clients, *_ in SHAPES:
            bodies = [batch(next(numbers), rows) for _ in range(batches)]
            rate = post(target, bodies, clients) * rows
            # The first turn warms the server up.
            if turn:
                by_http.setdefault((rows, clients), []).append(rate)
        sql = _send(conn, [batch(next(numbers), 1000) for _ in range(10)]) * 1000
        copied = _copy(conn, numbers)
        if turn:
            by_sql.append(sql)
            by_copy.append(copied)
    limit = statistics.median(by_copy)
    lines = [
        Measure(
            f"ingest over HTTP, {clients} client{'s' * (clients > 1)}, batches of {rows:,}",
            "rows/s",
            statistics.median(by_http[rows, clients]),
            (part and part * limit) if target.native else embedded,
            f"binary COPY by one, {COPIED:,} rows",
            limit,
        )
        for rows, _, clients, part, embedded in SHAPES
    ]
    over_http = statistics.median(by_http[1000, 1])
    by_function = statistics.median(by_sql)
    return [
        *lines,
        Measure(
            "ingest over HTTP, 1 client, batches of 1,000",
            "rows/s",
            over_http,
            None,
            "api.ingest_metrics by psycopg",
            by_function,
        ),
    ]


def _items(target: Target, conn: psycopg.Connection, numbers: Iterator[int]) -> list[Measure]:
    conn.execute(ROW)
    with keep_alive.client(target) as http:
        http_ms, sql_ms, row_ms = medians_ms(
            lambda: http.post("/ingest/metrics", batch(next(numbers), 1)),
            lambda: history.send(conn, batch(next(numbers), 1)),
            lambda: conn.execute("insert into public.bench_row values (now(), 1)"),
            rounds=CALLS,
        )
    return [
        Measure(
            "ingest of one item by SQL",
            "ms",
            sql_ms,
            2 * row_ms if target.native else None,
            "a row inserted alone",
            row_ms,
            higher_is_better=False,
        ),
        Measure(
            "ingest of one item over HTTP",
            "ms",
            http_ms,
            2 if target.native else None,
            "api.ingest_metrics by psycopg",
            sql_ms,
            higher_is_better=False,
        ),
    ]


def _shared(target: Target) -> Measure:
    """Requests/s of many clients, of which the service stores several in one transaction."""
    alone: list[float] = []
    together: list[float] = []
    for turn in range(ROUNDS + 1):
        alone.append(post(target, readings(SINGLE), 1))
        together.append(post(target, readings(SINGLE * 10), CLIENTS))
        if not turn:
            alone.clear()
            together.clear()
    return Measure(
        f"ingest of one item a request, {CLIENTS} clients",
        "requests/s",
        statistics.median(together),
        None,
        "1 client",
        statistics.median(alone),
    )


def readings(requests: int) -> list[bytes]:
    """An item each, whose time is that of its arrival."""
    return [
        json.dumps(
            {
                "name": KIND,
                "source": f"server-{n % SERIES}",
                "value": n * 0.37,
                "labels": {"core": "0"},
            }
        ).encode()
        for n in range(requests)
    ]


def batch(number: int, rows: int) -> bytes:
    """Items of 100 series; no two batches share an instant."""
    newest = datetime.now(UTC) - timedelta(minutes=1, seconds=number)
    return json.dumps(
        [
            {
                "name": KIND,
                "source": f"server-{n % SERIES}",
                "value": n * 0.37,
                "ts": (newest - timedelta(milliseconds=n // SERIES)).isoformat(),
                "labels": {"core": "0"},
            }
            for n in range(rows)
        ]
    ).encode()


def post(target: Target, bodies: list[bytes], clients: int) -> float:
    """Batches a second."""
    head = f"POST /ingest/metrics HTTP/1.1\r\nHost: {target.host}\r\nContent-Type: application/json"
    requests = [f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body for body in bodies]
    answers, seconds = load.run(target.host, target.port, requests, connections=clients, seconds=0)
    return answers / seconds


def _send(conn: psycopg.Connection, bodies: list[bytes]) -> float:
    """Batches a second."""
    started = time.perf_counter()
    for body in bodies:
        history.send(conn, body)
    return len(bodies) / (time.perf_counter() - started)


def _copy(conn: psycopg.Connection, numbers: Iterator[int]) -> float:
    """Rows/s of three transactions."""
    found = conn.execute(history.SERIES, [[KIND]]).fetchall()
    series = np.array([series for *_, series, _ in found], np.int64)
    kinds = np.array([kind for *_, kind in found], np.int64)
    instants = COPIED // SERIES
    values = np.random.default_rng(1).random((instants, SERIES))
    taken = 0.0
    for _ in range(3):
        # Half a second from the batches.
        newest = time.time() - 60.5 - next(numbers)
        at = newest - np.arange(instants) / 1000
        started = time.perf_counter()
        history.copy(conn, series, kinds, at, values)
        taken += time.perf_counter() - started
    return 3 * COPIED / taken
