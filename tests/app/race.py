"""One worker process of the cache race: readers and writers at full speed on a shared number."""

from __future__ import annotations

import asyncio
import random
import sys
import time

import redis

from supervisor_mcp.cache.aggregates import Cache, Computed, Key

KEYS = (Key("cpu", "7d"), Key("cpu", "7d", "0" * 32), Key("*", "30d"))
# Redis keys that play the database: what is committed, and what was acknowledged.
COMMITTED = "test:committed"
ACKNOWLEDGED = "test:acknowledged"


# Visibility of everything: here Redis alone has to invalidate.
ALL = f"{2**60}:{2**60}:"


async def race(url: str, seconds: float, seed: int) -> tuple[int, int, int]:
    """Reads, writes and stale answers."""
    chance = random.Random(seed)
    cache = Cache(url, ttl_seconds=60)
    cache.changes.learn(ALL, 0, {})
    truth = redis.asyncio.Redis.from_url(url)
    end = time.monotonic() + seconds
    reads = writes = stale = 0

    async def compute() -> Computed:
        read = await truth.get(COMMITTED)
        # A slow reader: ingests commit between its reading and its filling.
        await asyncio.sleep(chance.choice((0, 0, 0.001, 0.004)))
        return Computed(read if isinstance(read, bytes) else b"0", ALL)

    async def read() -> None:
        nonlocal reads, stale
        while time.monotonic() < end:
            known = int(await truth.get(ACKNOWLEDGED) or 0)
            answer = int(await cache.answer(chance.choice(KEYS), compute))
            reads += 1
            stale += answer < known

    async def write() -> None:
        nonlocal writes
        while time.monotonic() < end:
            number = await truth.incr(COMMITTED)
            await asyncio.sleep(chance.choice((0, 0, 0.002)))
            await cache.invalidate(["cpu"], number)
            await truth.eval(
                "if tonumber(ARGV[1]) > tonumber(redis.call('get', KEYS[1]) or 0) then"
                " redis.call('set', KEYS[1], ARGV[1]) end",
                1,
                ACKNOWLEDGED,
                number,
            )
            writes += 1
            await asyncio.sleep(chance.choice((0, 0.001, 0.01)))

    await asyncio.gather(*(read() for _ in range(8)), *(write() for _ in range(2)))
    await cache.close()
    await truth.aclose()
    return reads, writes, stale


if __name__ == "__main__":
    print(*asyncio.run(race(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]))))
