"""The three measures, each with its limit from the same run."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

import httpx
import psycopg
import redis
import uvloop

from bench import load
from bench.servers import Target
from supervisor_mcp.cache.connection import Connection
from supervisor_mcp.db import Body, own_adapters

SERIES = 100
BATCH = 1000
BATCHES = 20
SAMPLES = 1_000_000
ROUNDS = 5
ROUND_SECONDS = 2.0
CONNECTIONS = 32

FILL = """
insert into data.kind (name, type, created_at) values ('bench_cold', 'gauge', now());
insert into data.source (name, created_at)
select 'cold-' || n, now() from generate_series(1, {series}) as n;
insert into data.series (kind_id, source_id, labels, created_at)
select kind_id, source_id, '{{}}', now()
from data.kind cross join data.source
where kind.name = 'bench_cold' and source.name like 'cold-%';
insert into data.sample (series_id, kind_id, ts, seq, value, observations, counter)
select
    series_id, kind_id, now() - interval '30 days' * (n / {points}::double precision), 0,
    100 * random(), 1, false
from data.series cross join generate_series(1, {points} - 1) as n
where kind_id = (select kind_id from data.kind where name = 'bench_cold')
"""
INGEST = """
select answer, kinds
from api.ingest_metrics(
    p_body => %(body)s, p_partial => %(partial)s,
    p_idempotency_key => %(idempotency_key)s, p_now => %(now)s
)
"""
ROLLUPS = ("data.sample_1h", "data.sample_1d", "data.kind_1d")


@dataclass(frozen=True)
class Measure:
    """A figure, its target, and the limit that was measured beside it, in the same unit."""

    name: str
    unit: str
    figure: float
    target: float
    limit_name: str
    limit: float
    higher_is_better: bool = True

    @property
    def ratio(self) -> float:
        """How much of the limit is reached; 1 is the limit itself."""
        return self.figure / self.limit if self.higher_is_better else self.limit / self.figure

    @property
    def reached(self) -> bool:
        """Whether the target is reached."""
        return (self.figure >= self.target) is self.higher_is_better


def ingest(target: Target) -> Measure:
    """Rows/s over HTTP in batches of 1,000 on two connections, and by SQL on one, in turns."""
    head = f"POST /ingest/metrics HTTP/1.1\r\nHost: {target.host}\r\nContent-Type: application/json"
    numbers = count()
    by_http: list[float] = []
    by_sql: list[float] = []
    for turn in range(ROUNDS + 1):
        requests = [
            f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
            for body in (_batch(next(numbers)) for _ in range(BATCHES))
        ]
        answers, seconds = load.run(target.host, target.port, requests, connections=2, seconds=0)
        rate = _ingest_by_sql(target, [_batch(next(numbers)) for _ in range(BATCHES)])
        # The first turn makes the series and warms the server up.
        if turn:
            by_http.append(answers * BATCH / seconds)
            by_sql.append(rate)
    return Measure(
        "ingest over HTTP, batches of 1,000",
        "rows/s",
        statistics.median(by_http),
        25_000,
        "api.ingest_metrics by psycopg",
        statistics.median(by_sql),
    )


def cold(target: Target) -> Measure:
    """Milliseconds of an aggregate that is in no cache, 30 days of 100 series, 1 M samples."""
    _fill(target)
    path = f"{target.url}/query/agg?kind=bench_cold&window=30d"
    with (
        httpx.Client(timeout=60) as http,
        redis.Redis.from_url(target.redis_url) as cache,
        psycopg.connect(target.database_url, autocommit=True, prepare_threshold=None) as conn,
    ):

        def over_http() -> None:
            cache.flushall()
            assert http.get(path).json()["count"] > SAMPLES * 0.99

        def by_sql() -> None:
            conn.execute(
                "select api.query_agg('bench_cold', '30d', null, null, null, null, %s)",
                [datetime.now(UTC)],
            )

        figure, limit = median_ms(over_http), median_ms(by_sql)
    return Measure(
        "cold /query/agg 30d, 100 series, 1 M samples",
        "ms",
        figure,
        400,
        "api.query_agg by psycopg",
        limit,
        higher_is_better=False,
    )


def hits(target: Target) -> list[Measure]:
    """Requests/s of a cached aggregate against /livez, and against the reads from Redis alone."""
    agg = _get(target, "/query/agg?kind=bench_cold&window=30d")
    livez = _get(target, "/livez")
    httpx.get(f"{target.url}/query/agg?kind=bench_cold&window=30d", timeout=60)
    rates: dict[bytes, list[float]] = {agg: [], livez: []}
    for _ in range(ROUNDS):
        for request, measured in rates.items():
            answers, seconds = load.run(
                target.host,
                target.port,
                [request],
                connections=CONNECTIONS,
                seconds=ROUND_SECONDS,
            )
            measured.append(answers / seconds)
    figure, alive = statistics.median(rates[agg]), statistics.median(rates[livez])
    reads = uvloop.run(_reads(target))
    return [
        Measure("cached /query/agg", "requests/s", figure, alive / 2, "/livez", alive),
        Measure("cached /query/agg", "requests/s", figure, alive / 2, "Redis reads alone", reads),
    ]


def _batch(number: int) -> bytes:
    """1,000 items of 100 series; no two batches share an instant."""
    newest = datetime.now(UTC) - timedelta(minutes=1, seconds=number)
    return json.dumps(
        [
            {
                "name": "bench_ingest",
                "source": f"server-{n % SERIES}",
                "value": n * 0.37,
                "ts": (newest - timedelta(milliseconds=n // SERIES)).isoformat(),
                "labels": {"core": "0"},
            }
            for n in range(BATCH)
        ]
    ).encode()


def _ingest_by_sql(target: Target, bodies: list[bytes]) -> float:
    with psycopg.connect(
        target.database_url, autocommit=True, prepare_threshold=None, context=own_adapters()
    ) as conn:
        arguments = [
            {
                "body": Body(body),
                "partial": False,
                "idempotency_key": None,
                "now": datetime.now(UTC),
            }
            for body in bodies
        ]
        started = time.perf_counter()
        for sent in arguments:
            conn.execute(INGEST, sent)
        return len(arguments) * BATCH / (time.perf_counter() - started)


def _fill(target: Target) -> None:
    with psycopg.connect(target.database_url, autocommit=True, prepare_threshold=None) as conn:
        for statement in FILL.format(series=SERIES, points=SAMPLES // SERIES + 1).split(";"):
            conn.execute(statement.encode())
        for rollup in ROLLUPS:
            conn.execute(
                f"call refresh_continuous_aggregate('{rollup}',"
                " now() - interval '61 days', now() - interval '1 hour')".encode()
            )


def median_ms(call: Callable[[], object]) -> float:
    """Milliseconds of a call, the median of nine."""
    taken = []
    for _ in range(9):
        started = time.perf_counter()
        call()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


async def _reads(target: Target) -> float:
    """Reads/s of 32 tasks that share the connection of the cache."""
    connection = Connection(target.redis_url, 5)
    keys = [f"supervisor:{name}:bench_cold:30d" for name in ("agg", "stamp", "generation")]
    end = time.perf_counter() + ROUND_SECONDS
    done = 0

    async def read() -> None:
        nonlocal done
        while time.perf_counter() < end:
            await connection.get(*keys)
            done += 1

    await asyncio.gather(*(read() for _ in range(CONNECTIONS)))
    connection.close()
    return done / ROUND_SECONDS


def _get(target: Target, path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {target.host}\r\n\r\n".encode()
