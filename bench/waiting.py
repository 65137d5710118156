"""How long requests wait for jobs on the embedded server: `python -m bench.waiting [--help]`.

Loads history and rolls it up, ingests late samples of it in random order, and asks for the kinds
every 50 ms until nothing is late any more. Fails where a probe takes too long or is refused.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import psycopg

from bench import aggregates, history
from bench.servers import Target, service, timescaledb
from supervisor_mcp import config
from supervisor_mcp.embedded import cache, database

EVERY_SECONDS = 0.05
LIMIT_SECONDS = 2.0
BATCH = 1000
WORKERS = 2
# The first calls of each worker compile what they call.
WARM_UP = 20
TIMEOUT_SECONDS = 120
LATE = "select count(*) from data.late_hour"


@dataclass
class Waiting:
    """What the probes saw."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    ingested: float = 0.0
    settled: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether nobody waited for too long, and nobody was refused."""
        return set(self.statuses) == {200} and max(self.seconds) < LIMIT_SECONDS


def main() -> None:
    """Measure, print, and exit with 1 where somebody waited."""
    parser = argparse.ArgumentParser(prog="python -m bench.waiting", description=__doc__)
    parser.add_argument("--samples", type=int, default=3_000_000, help="history of 30 days")
    parser.add_argument("--late", type=int, default=300_000, help="late samples")
    sent = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="supervisor-bench-") as name:
        folder = Path(name)
        _fill(folder / "data", sent.samples)
        with _running(folder) as target:
            waiting = asyncio.run(_measure(target, _batches(sent.late)))
    _print(waiting, sent.samples, sent.late)
    sys.exit(not waiting.passed)


def _fill(data_dir: Path, samples: int) -> None:
    """30 days of samples, rolled up and in the columnstore."""
    with timescaledb(data_dir, None) as url, history.connect(url) as conn:
        aggregates.fill(conn, samples)
        history.refresh(conn)
        history.compress(conn)
        history.vacuum(conn)


@contextmanager
def _running(folder: Path) -> Iterator[Target]:
    """The service on that history, with the jobs of the database on."""
    cache_dir = config.load().cache_dir
    with (
        database.start(folder / "data", cache_dir=cache_dir, jobs_wait_seconds=600) as embedded,
        cache.start(folder / "run") as valkey,
        service(embedded.url, valkey.url, WORKERS, folder / "service.log") as target,
    ):
        # As `up` does it.
        embedded.begin_jobs()
        yield target


def _batches(late: int) -> list[bytes]:
    """Samples at random instants of the 30 days, none of them where one is."""
    random = np.random.default_rng(late)
    ages = random.uniform(2 * 3600, (aggregates.DAYS - 1) * 86_400, late)
    values = random.lognormal(3, 1, late)
    sources = random.integers(0, len(aggregates.SOURCES), late)
    now = time.time()
    items = [
        {
            "name": aggregates.KIND,
            "source": aggregates.SOURCES[source],
            "value": float(value),
            "ts": datetime.fromtimestamp(now - age, UTC).isoformat(),
        }
        for age, value, source in zip(ages, values, sources, strict=True)
    ]
    return [json.dumps(items[at : at + BATCH]).encode() for at in range(0, late, BATCH)]


async def _measure(target: Target, batches: list[bytes]) -> Waiting:
    waiting = Waiting()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
    async with httpx.AsyncClient(
        base_url=target.url, timeout=TIMEOUT_SECONDS, limits=limits
    ) as http:
        for _ in range(WARM_UP):
            await http.get("/query/kinds")
        probing = asyncio.create_task(_probe(http, waiting))
        started = time.perf_counter()
        await _ingest(target, batches)
        waiting.ingested = time.perf_counter() - started
        await asyncio.to_thread(_settle, target)
        waiting.settled = time.perf_counter() - started
        probing.cancel()
        await asyncio.gather(probing, return_exceptions=True)
    return waiting


async def _probe(http: httpx.AsyncClient, waiting: Waiting) -> None:
    """Ask on time, whether or not the probes before are answered."""

    async def ask() -> None:
        started = time.perf_counter()
        answer = await http.get("/query/kinds")
        waiting.seconds.append(time.perf_counter() - started)
        waiting.statuses[answer.status_code] += 1

    started = time.perf_counter()
    async with asyncio.TaskGroup() as probes:
        number = 0
        try:
            while True:
                probes.create_task(ask())
                number += 1
                await asyncio.sleep(started + number * EVERY_SECONDS - time.perf_counter())
        except asyncio.CancelledError:
            pass


async def _ingest(target: Target, batches: list[bytes]) -> None:
    headers = {"Content-Type": "application/json"}
    async with httpx.AsyncClient(
        base_url=target.url, timeout=TIMEOUT_SECONDS, headers=headers
    ) as http:
        for body in batches:
            (await http.post("/ingest/metrics", content=body)).raise_for_status()


def _settle(target: Target) -> None:
    """Wait until no sample is late."""
    with psycopg.connect(target.database_url, autocommit=True, prepare_threshold=None) as conn:
        while conn.execute(LATE).fetchone() != (0,):
            time.sleep(1)


def _print(waiting: Waiting, samples: int, late: int) -> None:
    p50, p99, slowest = np.percentile(waiting.seconds, [50, 99, 100])
    statuses = ", ".join(f"{status}: {count:,}" for status, count in waiting.statuses.items())
    lines = (
        f"{late:,} late samples on {samples:,}",
        f"ingested after {waiting.ingested:.0f} s, rolled up after {waiting.settled:.0f} s",
        f"answers by status: {statuses}",
        f"slowest {slowest:.3f} s (< {LIMIT_SECONDS:g}), p99 {p99:.3f} s, median {p50:.3f} s",
    )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
