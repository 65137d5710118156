"""What the service and a primary spend on a sample and a question: `python -m bench.capacity DSN`.

Processor time of all processes of the server and of the service, which other work on the machine
changes less than time by the clock. The DSN is a superuser's, of a native server on this machine
that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

import httpx
import psycopg
import redis

from bench import aggregates, history, load
from bench.ingest import CLIENTS, SERIES, batch, listed, post, readings
from bench.servers import Target, target
from tests.support.processes import descendants

SAMPLES = 1_728_000
TICK = os.sysconf("SC_CLK_TCK")
CONNECTIONS = 8
MICROSECONDS = 1_000_000
QUESTIONS = 100
CACHED_SECONDS = 5.0
SIZES = """
select
    sum(pg_table_size(format('%I.%I', chunk_schema, chunk_name)::regclass)),
    sum(pg_indexes_size(format('%I.%I', chunk_schema, chunk_name)::regclass))
from timescaledb_information.chunks
where hypertable_schema = 'data' and hypertable_name = 'sample'
"""


@dataclass(frozen=True)
class Figure:
    """A figure and its unit."""

    name: str
    figure: float
    unit: str


class Processors:
    """Processor time of the server and of the service."""

    def __init__(self, running: Target, postmaster: int) -> None:
        self._roots = {"database": postmaster, "service": running.pid}

    def spent(self, call: Callable[[], object]) -> dict[str, float]:
        """Seconds that a call costs each of them."""
        before = {name: self._seconds(root) for name, root in self._roots.items()}
        call()
        return {name: self._seconds(root) - before[name] for name, root in self._roots.items()}

    @staticmethod
    def _seconds(root: int) -> float:
        return sum(_ticks(pid) for pid, _ in descendants(root)) / TICK


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.capacity", description=__doc__)
    parser.add_argument("dsn")
    parser.add_argument("--samples", type=int, default=SAMPLES)
    sent = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="supervisor-capacity-") as name,
        target(Path(name), 1, sent.dsn) as running,
        history.connect(running.database_url) as conn,
        httpx.Client(base_url=running.url, timeout=300) as http,
        redis.Redis.from_url(running.redis_url) as cache,
    ):
        found = conn.execute("select pg_backend_pid()").fetchone()
        assert found is not None
        processors = Processors(running, _parent(found[0]))
        figures = [
            *_ingest(running, conn, processors),
            *_history(conn, processors, sent.samples),
            *_questions(running, conn, http, cache, processors),
        ]
    for figure in figures:
        sys.stdout.write(json.dumps(vars(figure)) + "\n")


def _ingest(running: Target, conn: psycopg.Connection, processors: Processors) -> Iterator[Figure]:
    numbers = count()
    history.send(conn, batch(next(numbers), SERIES))
    for rows, batches in ((1000, 40), (10_000, 10)):
        bodies = [batch(next(numbers), rows) for _ in range(batches)]
        sent = rows * batches
        begin = _wal(conn)
        spent = processors.spent(partial(_send, conn, bodies))
        yield _each(f"ingest by SQL, batches of {rows:,}", spent["database"], sent, "row")
        yield Figure(f"WAL, batches of {rows:,}", (_wal(conn) - begin) / sent, "B/row")
        for made, how in ((batch, ""), (listed, " in arrays")):
            bodies = [made(next(numbers), rows) for _ in range(batches)]
            for name, seconds in processors.spent(partial(post, running, bodies, 1)).items():
                line = f"ingest over HTTP{how}, batches of {rows:,}: {name}"
                yield _each(line, seconds, sent, "row")
    bodies = [batch(next(numbers), 1) for _ in range(500)]
    for name, seconds in processors.spent(lambda: post(running, bodies, 1)).items():
        yield _each(f"a request with one sample: {name}", seconds, len(bodies), "request")
    bodies = readings(5000)
    for name, seconds in processors.spent(lambda: post(running, bodies, CLIENTS)).items():
        many = f"a request with one sample, {CLIENTS} clients: {name}"
        yield _each(many, seconds, len(bodies), "request")


def _history(conn: psycopg.Connection, processors: Processors, samples: int) -> Iterator[Figure]:
    """Samples of one series every 30 s, and what the jobs make of them."""
    conn.execute("delete from data.sample")
    conn.execute("select drop_chunks('data.sample', newer_than => timestamptz '1970-01-01')")
    empty = history.size(conn)
    stored = aggregates.fill(conn, samples)
    row = conn.execute(SIZES.encode()).fetchone()
    assert row is not None
    table, indexes = (int(each) / stored for each in row)
    yield Figure("a fresh sample: table", table, "B/sample")
    yield Figure("a fresh sample: indexes", indexes, "B/sample")
    fresh = history.size(conn)
    spent = processors.spent(lambda: history.refresh(conn))
    yield _each("refresh of the rollups", spent["database"], stored, "sample")
    rolled = history.size(conn)
    yield Figure("rollups, before compression", (rolled - fresh) / stored, "B/sample")
    spent = processors.spent(lambda: history.compress_all(conn))
    yield _each("conversion to the columnstore", spent["database"], stored, "sample")
    row = conn.execute("select hypertable_size('data.sample')").fetchone()
    assert row is not None
    yield Figure("a sample in the columnstore", row[0] / stored, "B/sample")
    yield Figure(
        "its rollups, after compression",
        (history.size(conn) - empty - row[0]) / stored,
        "B/sample",
    )


def _questions(
    running: Target,
    conn: psycopg.Connection,
    http: httpx.Client,
    cache: redis.Redis,
    processors: Processors,
) -> Iterator[Figure]:
    history.vacuum(conn)
    for question in aggregates.QUESTIONS[:-1]:

        def ask(path: str = question.path) -> None:
            for _ in range(QUESTIONS):
                cache.flushall()
                http.get(path).raise_for_status()

        ask()
        for name, seconds in processors.spent(ask).items():
            yield _each(f"{question.name}, not cached: {name}", seconds, QUESTIONS, "question")
    request = f"GET {aggregates.QUESTIONS[0].path} HTTP/1.1\r\nHost: {running.host}\r\n\r\n"
    answers: list[int] = []

    def hit() -> None:
        place = (running.host, running.port)
        number, _ = load.run(
            *place, [request.encode()], connections=CONNECTIONS, seconds=CACHED_SECONDS
        )
        answers.append(number)

    spent = processors.spent(hit)
    yield _each("a cached answer: service", spent["service"], answers[0], "question")


def _each(name: str, seconds: float, number: int, of: str) -> Figure:
    return Figure(name, seconds / number * MICROSECONDS, f"µs/{of}")


def _send(conn: psycopg.Connection, bodies: list[bytes]) -> None:
    for body in bodies:
        history.send(conn, body)


def _wal(conn: psycopg.Connection) -> int:
    row = conn.execute("select pg_current_wal_lsn() - '0/0'::pg_lsn").fetchone()
    assert row is not None
    return int(row[0])


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _ticks(pid: int) -> int:
    """User and system time, with that of children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(each) for each in fields[11:15])


if __name__ == "__main__":
    main()
