"""Keep-alives of 1,000 servers, one by one and in one call, beside queries."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import psycopg

from bench import load
from bench.measures import Measure, median_ms
from bench.servers import Target

SERVERS = 1000
RATE = 1000
SECONDS = 10.0
QUERIES_A_SECOND = 100

REGISTER = """
insert into data.server (
    name, status, tags, keepalive_seconds, failures_to_down, successes_to_recover, sla_target,
    probe, registered_at, updated_at
)
select 'bench/server-' || n, 'active', '{}', 10, 3, 2, 99.9, false, now(), now()
from generate_series(1, %s) as n
"""


def heartbeats(target: Target) -> list[Measure]:
    """1,000 calls/s, the latency of a cached aggregate beside them, and one call for all."""
    names = [f"bench/server-{n + 1}" for n in range(SERVERS)]
    with psycopg.connect(target.database_url, autocommit=True, prepare_threshold=None) as conn:
        conn.execute(REGISTER, [SERVERS])
        by_sql = median_ms(lambda: _renew(conn, names))
    url = f"{target.url}/registry/heartbeats"
    with httpx.Client(timeout=60) as http:
        by_http = median_ms(lambda: http.post(url, json={"names": names}).raise_for_status())
    _, _, alone = _queries(target)
    with ThreadPoolExecutor(1) as pool:
        beside = pool.submit(_queries, target)
        answers, seconds, _ = _calls(target, names)
        _, _, p99 = beside.result()
    return [
        Measure(
            "keep-alives as single calls, 1,000 a second sent",
            "calls/s",
            answers / seconds,
            RATE * 0.98,
            "api.heartbeat by psycopg, 1,000 names a call",
            SERVERS / by_sql * 1000,
        ),
        Measure(
            "p99 of cached /query/agg beside them",
            "ms",
            p99,
            50,
            "without them",
            alone,
            higher_is_better=False,
        ),
        Measure(
            "1,000 keep-alives in one call over HTTP",
            "ms",
            by_http,
            200,
            "api.heartbeat by psycopg",
            by_sql,
            higher_is_better=False,
        ),
    ]


def _renew(conn: psycopg.Connection, names: list[str]) -> None:
    conn.execute("select api.heartbeat(%s, %s)", [names, datetime.now(UTC)])


def _calls(target: Target, names: list[str]) -> tuple[int, float, float]:
    requests = [
        f"POST /registry/servers/{name}/heartbeat HTTP/1.1\r\nHost: {target.host}\r\n"
        "Content-Length: 0\r\n\r\n".encode()
        for name in names
    ]
    return load.paced(
        target.host, target.port, requests, connections=100, seconds=SECONDS, rate=RATE
    )


def _queries(target: Target) -> tuple[int, float, float]:
    path = "/query/agg?kind=bench_cold&window=30d"
    request = f"GET {path} HTTP/1.1\r\nHost: {target.host}\r\n\r\n".encode()
    return load.paced(
        target.host,
        target.port,
        [request],
        connections=4,
        seconds=SECONDS,
        rate=QUERIES_A_SECOND,
    )
