"""One worker process of the cache race: readers and writers at full speed on a shared number."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Callable

import redis

from supervisor_mcp.cache.aggregates import Cache, Computed, Key
from supervisor_mcp.cache.connection import Connection

KEYS = (
    Key("cpu", "7d", namespace=""),
    Key("cpu", "7d", "0" * 32, namespace=""),
    Key("*", "30d", namespace=""),
)
# Redis keys that play the database: what is committed, and what was acknowledged.
COMMITTED = "test:committed"
ACKNOWLEDGED = "test:acknowledged"
# What a process does without faults, however long a busy machine takes.
READS = 1_000
WRITES = 400
# With faults, a process goes on for so long.
FAULTY_SECONDS = 8.0
READING_SECONDS = 0.5


def seen(number: int) -> str:
    """What a database shows in which the transactions up to this one are committed."""
    return f"{number + 1}:{number + 1}:"


async def fail_over(
    truth: redis.asyncio.Redis, chance: random.Random, goes_on: Callable[[], bool]
) -> None:
    """Bring old states of Redis back, each whole, as a replica that missed the last writes does."""
    while goes_on():
        # Without leases: one that comes back holds readers up until it ends.
        names = [
            name
            for kept in ("agg", "stamp", "generation", "members")
            async for name in truth.scan_iter(f"supervisor:{kept}:*")
        ]
        async with truth.pipeline(transaction=True) as at_once:
            for name in names:
                at_once.dump(name)
            replica = await at_once.execute()
        await asyncio.sleep(chance.choice((0.01, 0.1)))
        async with truth.pipeline(transaction=True) as at_once:
            for name, dumped in zip(names, replica, strict=True):
                if dumped is not None:
                    at_once.restore(name, 60_000, dumped, replace=True)
            await at_once.execute()
        await asyncio.sleep(chance.choice((0.01, 0.3)))


async def race(url: str, seed: int, *, faulty: bool) -> tuple[int, int, int]:
    """Reads, writes and stale answers.

    `faulty` brings old states of Redis back; the process of seed 0 only writes then, because it
    knows its own changes, and the others only read.
    """
    chance = random.Random(seed)
    cache = Cache(Connection(url), ttl_seconds=60)
    truth = redis.asyncio.Redis.from_url(url)
    end = time.monotonic() + FAULTY_SECONDS
    reads = writes = stale = 0
    # Of what is committed, what this process has read: what bounds the age of an answer where Redis
    # loses invalidations.
    learned = 0

    def goes_on() -> bool:
        return time.monotonic() < end if faulty else reads < READS or writes < WRITES

    async def committed() -> int:
        return int(await truth.get(COMMITTED) or 0)

    async def compute() -> Computed:
        number = await committed()
        # A slow reader: ingests commit between its reading and its filling.
        await asyncio.sleep(chance.choice((0, 0, 0.001, 0.004)))
        return Computed(str(number).encode(), seen(number))

    async def read() -> None:
        nonlocal reads, stale
        while goes_on():
            least = learned if faulty else int(await truth.get(ACKNOWLEDGED) or 0)
            answer = int(await cache.answer(chance.choice(KEYS), compute))
            reads += 1
            stale += answer < least

    async def write() -> None:
        nonlocal writes
        while goes_on():
            number = await truth.incr(COMMITTED)
            await asyncio.sleep(chance.choice((0, 0, 0.002)))
            await cache.invalidate(["cpu"], number, namespace="")
            await truth.eval(
                "if tonumber(ARGV[1]) > tonumber(redis.call('get', KEYS[1]) or 0) then"
                " redis.call('set', KEYS[1], ARGV[1]) end",
                1,
                ACKNOWLEDGED,
                number,
            )
            writes += 1
            # Pauses, in which nothing but a reading ends what a lost invalidation left.
            await asyncio.sleep(chance.choice((0, 0.001, 0.01, 3 if faulty else 0.01)))

    async def follow() -> None:
        nonlocal learned
        while goes_on():
            number = await committed()
            cache.changes.learn(
                seen(number), time.time(), {"": {"cpu": range(learned + 1, number + 1)}}
            )
            learned = number
            if not faulty:
                # Invalidations alone have to do.
                return
            await asyncio.sleep(READING_SECONDS)

    work = [follow()]
    if not faulty or seed == 0:
        work += [write(), write()]
    if not faulty or seed != 0:
        work += [read() for _ in range(8)]
    if faulty and seed != 0:
        work.append(fail_over(truth, chance, goes_on))
    await asyncio.gather(*work)
    cache.close()
    await truth.aclose()
    return reads, writes, stale


if __name__ == "__main__":
    print(*asyncio.run(race(sys.argv[1], int(sys.argv[2]), faulty=sys.argv[3] == "faulty")))
