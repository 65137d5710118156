"""Aggregates that are in no cache, by question, and those that are."""

from __future__ import annotations

import asyncio
import statistics
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

import httpx
import numpy as np
import psycopg
import redis
import uvloop
from numpy.typing import NDArray

from bench import history, keep_alive, load
from bench.measures import Measure, medians_ms
from bench.servers import Target
from supervisor_mcp.cache.connection import Connection

KIND = "bench_cold"
SOURCES = [f"cold-{n:03}" for n in range(100)]
KINDS = 200
INSTANTS_OF_A_KIND = 1440
DAYS = 30
AHEAD_SECONDS = 240
# A connection keeps the plan of a statement after five calls, and the service has several.
WARM_UP = 20
# As the questions of a service, which come to one session: after one of another session, a call
# takes up to a fifth longer, because that has filled the caches of the processor.
IN_A_ROW = 5
ROUNDS = 5
ROUND_SECONDS = 2.0
CONNECTIONS = 32
CORE = ("count", "avg", "min", "max", "groups")
BY_SQL = """
select api.query_agg(
    p_kind => %(kind)s, p_window => %(window)s, p_source => %(source)s,
    p_group_by => %(group_by)s, p_fields => %(fields)s, p_as_of => null, p_now => %(now)s
)
"""


@dataclass(frozen=True)
class Question:
    """What is asked, and within how many milliseconds it is to be answered."""

    name: str
    window: str
    native: float
    embedded: float | None = None
    kind: str | None = KIND
    source: str | None = None
    group_by: str | None = None
    fields: tuple[str, ...] | None = None

    @property
    def path(self) -> str:
        """Where it is asked over HTTP."""
        sent = {
            "kind": self.kind,
            "window": self.window,
            "source": self.source,
            "group_by": self.group_by,
            "fields": self.fields and ",".join(self.fields),
        }
        return "/query/agg?" + urlencode({name: text for name, text in sent.items() if text})

    @property
    def arguments(self) -> dict[str, object]:
        """What SQL is asked with, but for the time."""
        return {
            "kind": self.kind,
            "window": self.window,
            "source": self.source,
            "group_by": self.group_by,
            "fields": None if self.fields is None else list(self.fields),
        }


QUESTIONS = (
    Question("all sources 7d", "7d", 15),
    Question("all sources 30d", "30d", 15, 60),
    Question("one source 7d", "7d", 8, source=SOURCES[50]),
    Question("one source 30d", "30d", 8, source=SOURCES[50]),
    Question("by source 7d", "7d", 100, group_by="source"),
    Question("by source 30d", "30d", 100, 600, group_by="source"),
    Question("by source 7d without percentiles", "7d", 10, group_by="source", fields=CORE),
    Question("by source 30d without percentiles", "30d", 10, group_by="source", fields=CORE),
    Question(f"all of {KINDS} kinds 30d", "30d", 300, kind=None),
)


def cold(target: Target, samples: int) -> list[Measure]:
    """Milliseconds over HTTP with an empty cache, and by SQL, in turns."""
    with history.connect(target.database_url) as conn:
        fill(conn, samples)
        names = [f"bench_kind_{n:03}" for n in range(KINDS - 1)]
        history.load(conn, names, SOURCES[:1], *gauge(INSTANTS_OF_A_KIND, 1))
        history.refresh(conn)
        history.compress(conn)
        history.vacuum(conn)
        conn.execute("set statement_timeout = '30s'")
        with (
            keep_alive.client(target) as http,
            redis.Redis.from_url(target.redis_url) as cache,
        ):
            return [_ask(target, conn, http, cache, asked, samples) for asked in QUESTIONS]


def fill(conn: psycopg.Connection, samples: int) -> int:
    """Store 30 days of samples of 100 sources; how many."""
    return history.load(conn, [KIND], SOURCES, *gauge(samples // len(SOURCES), len(SOURCES)))


def gauge(instants: int, sources: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Instants of 30 days up to some minutes ahead, and values with three decimals.

    So there are samples that nothing has rolled up, as there always are where samples arrive.
    """
    step = DAYS * 86_400 / instants
    newest = time.time() + AHEAD_SECONDS
    random = np.random.default_rng(instants)
    return (
        newest - step * np.arange(instants - 1, -1, -1, dtype=np.float64),
        np.round(random.lognormal(3, 1, (instants, sources)), 3),
    )


def _ask(
    target: Target,
    conn: psycopg.Connection,
    http: keep_alive.Client,
    cache: redis.Redis,
    asked: Question,
    samples: int,
) -> Measure:
    def by_sql() -> None:
        with suppress(psycopg.errors.QueryCanceled):
            conn.execute(BY_SQL, {**asked.arguments, "now": datetime.now(UTC)})

    figure, limit = medians_ms(
        lambda: http.get(asked.path),
        by_sql,
        warm_up=WARM_UP // IN_A_ROW,
        in_a_row=IN_A_ROW,
        before=cache.flushall,
    )
    return Measure(
        f"cold /query/agg, {asked.name}, {samples:,} samples",
        "ms",
        figure,
        asked.native if target.native else asked.embedded,
        "api.query_agg by psycopg",
        limit,
        higher_is_better=False,
    )


def hits(target: Target) -> list[Measure]:
    """Requests/s of a cached aggregate against /livez, and against the reads from Redis alone."""
    agg = _get(target, f"/query/agg?kind={KIND}&window=30d")
    livez = _get(target, "/livez")
    httpx.get(f"{target.url}/query/agg?kind={KIND}&window=30d", timeout=60)
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
        Measure("cached /query/agg", "requests/s", figure, 0.85 * alive, "/livez", alive),
        Measure("cached /query/agg", "requests/s", figure, None, "Redis reads alone", reads),
    ]


async def _reads(target: Target) -> float:
    """Reads/s of 32 tasks that share the connection of the cache."""
    connection = Connection(target.redis_url)
    keys = [f"supervisor:{name}:{KIND}:30d" for name in ("agg", "stamp", "generation")]
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
