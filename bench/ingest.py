"""Ingest of metrics: batches over HTTP beside binary COPY, and single items."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, NamedTuple

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


class Shape(NamedTuple):
    """Batches of a round; aims are a part of COPY natively, and rows/s on the embedded server."""

    rows: int
    batches: int
    clients: int
    native: float | None = None
    embedded: float | None = None
    # Whether an item has all samples of a series, or each sample is an item.
    listed: bool = False

    @property
    def name(self) -> str:
        """How the line of the shape is named."""
        what = "samples in arrays" if self.listed else "metrics"
        clients = f"{self.clients} client{'s' * (self.clients > 1)}"
        return f"ingest of {what} over HTTP, {clients}, batches of {self.rows:,}"


SHAPES = (
    Shape(100, 20, 1),
    Shape(1000, 20, 1, 0.35, 40_000),
    Shape(10_000, 3, 1, 0.5),
    Shape(10_000, 4, 4, 0.7),
    Shape(1000, 20, 1, 0.35, listed=True),
    Shape(10_000, 3, 1, 0.5, listed=True),
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
            *_items(target, conn),
            _shared(target),
        ]


def _batches(target: Target, conn: psycopg.Connection, numbers: Iterator[int]) -> list[Measure]:
    by_http: dict[Shape, list[float]] = {}
    by_sql: list[float] = []
    by_copy: list[float] = []
    for turn in range(ROUNDS + 1):
        for shape in SHAPES:
            made = listed if shape.listed else batch
            bodies = [made(next(numbers), shape.rows) for _ in range(shape.batches)]
            rate = post(target, bodies, shape.clients) * shape.rows
            # The first turn warms the server up.
            if turn:
                by_http.setdefault(shape, []).append(rate)
        sql = _send(conn, [batch(next(numbers), 1000) for _ in range(10)]) * 1000
        copied = _copy(conn, numbers)
        if turn:
            by_sql.append(sql)
            by_copy.append(copied)
    limit = statistics.median(by_copy)
    lines = [
        Measure(
            shape.name,
            "rows/s",
            statistics.median(by_http[shape]),
            (shape.native and shape.native * limit) if target.native else shape.embedded,
            f"binary COPY by one, {COPIED:,} rows",
            limit,
        )
        for shape in SHAPES
    ]
    over_http = statistics.median(by_http[SHAPES[1]])
    by_function = statistics.median(by_sql)
    return [
        *lines,
        Measure(
            SHAPES[1].name,
            "rows/s",
            over_http,
            None,
            "api.ingest_metrics by psycopg",
            by_function,
        ),
    ]


def _items(target: Target, conn: psycopg.Connection) -> list[Measure]:
    conn.execute(ROW)
    # Made beforehand, so that only what stores them is measured.
    bodies = iter(readings(4 * CALLS))
    with keep_alive.client(target) as http:
        http_ms, limit_ms = medians_ms(
            lambda: http.post("/ingest/metrics", next(bodies)),
            lambda: history.send(conn, next(bodies)),
            rounds=CALLS,
        )
    # Not beside requests: only the row would come right after something else of its session.
    sql_ms, row_ms = medians_ms(
        lambda: history.send(conn, next(bodies)),
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
            limit_ms,
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
    return json.dumps(_items_of(number, rows)).encode()


def listed(number: int, rows: int) -> bytes:
    """The samples of `batch`, with an item for each series."""
    items = _items_of(number, rows)
    series = [items[first::SERIES] for first in range(SERIES)]
    return json.dumps(
        [
            {
                **of_one[0],
                "value": [item["value"] for item in of_one],
                "ts": [item["ts"] for item in of_one],
            }
            for of_one in series
        ]
    ).encode()


def _items_of(number: int, rows: int) -> list[dict[str, Any]]:
    newest = datetime.now(UTC) - timedelta(minutes=1, seconds=number)
    return [
        {
            "name": KIND,
            "source": f"server-{n % SERIES}",
            "value": n * 0.37,
            "ts": (newest - timedelta(milliseconds=n // SERIES)).isoformat(),
            "labels": {"core": "0"},
        }
        for n in range(rows)
    ]


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
