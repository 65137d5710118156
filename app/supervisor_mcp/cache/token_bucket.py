"""Token buckets in Redis, one for each identity: how many requests it may send, over all nodes.

A bucket holds `burst` tokens and gets `rate` new ones a second; a request takes one. A process
takes the new tokens of 50 ms at a time and spends them within a second, so that few requests wait
for Redis. Without Redis, each process has buckets of its own.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, cast

from supervisor_mcp.cache.connection import Connection, ConnectionFailure, Script

# What a process takes at a time: the new tokens of this time, and how long it may spend them.
SHARE_SECONDS = 0.05
SPEND_SECONDS = 1.0
# What rounding may lack of a token: who waits as long as an answer says is allowed.
ROUNDING = 1e-7
# Allowances that are kept; those that nobody spends are dropped first.
MOST_ALLOWANCES = 10_000

# key: the bucket; arguments: tokens a second, most tokens, tokens wanted, what rounding may lack.
# Returns the tokens that were taken, the whole ones that are left, and milliseconds until there is
# one.
TAKE = Script("""
local rate, burst, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local clock = redis.call('time')
local now = clock[1] + clock[2] / 1000000
local kept = redis.call('hmget', KEYS[1], 'tokens', 'at')
local tokens = tonumber(kept[1]) or burst
tokens = math.min(burst, tokens + math.max(0, now - (tonumber(kept[2]) or now)) * rate)
local rounding = tonumber(ARGV[4])
local taken = math.min(wanted, math.floor(tokens + rounding))
tokens = tokens - taken
redis.call('hset', KEYS[1],
    'tokens', string.format('%.6f', tokens), 'at', string.format('%.6f', now))
redis.call('pexpire', KEYS[1], math.ceil(burst / rate * 1000) + 1000)
local left = math.floor(tokens + rounding)
return {taken, left, tokens < 1 and math.ceil((1 - tokens) / rate * 1000) or 0}
""")


class Taken(NamedTuple):
    """Whether there was a token, how many are left, and the seconds until the next one."""

    allowed: bool
    left: int
    wait_seconds: float


class _Allowance:
    """Tokens that this process has taken and not spent, or until when there are none."""

    __slots__ = ("left", "refused_until", "spend_until", "taking", "tokens")

    def __init__(self) -> None:
        self.tokens = 0
        self.left = 0
        self.spend_until = -math.inf
        self.refused_until = -math.inf
        self.taking = asyncio.Lock()


class TokenBuckets:
    """One per process. `rate` is in requests a second; `redis` None means that there is none."""

    def __init__(
        self,
        redis: Connection | None,
        *,
        rate: float,
        burst: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.rate = rate
        self.burst = burst
        self._clock = clock
        self._share = max(1, math.floor(rate * SHARE_SECONDS))
        self._redis = redis
        self._allowances: dict[str, _Allowance] = {}
        # By name, the tokens and when they were counted; for the time without Redis.
        self._own: dict[str, tuple[float, float]] = {}

    def spend(self, name: str) -> int | None:
        """Take a token of those that this process has.

        Returns how many are left; None where it has none and `take` has to ask.
        """
        allowance = self._allowances.get(name)
        if allowance is None or not allowance.tokens or self._clock() > allowance.spend_until:
            return None
        allowance.tokens -= 1
        return allowance.left + allowance.tokens

    async def take(self, name: str) -> Taken:
        """Take the token of one request."""
        if (left := self.spend(name)) is not None:
            return Taken(allowed=True, left=left, wait_seconds=0.0)
        allowance = self._allowances.get(name)
        if allowance is None:
            self._make_room()
            allowance = self._allowances[name] = _Allowance()
        if refusal := self._refused(allowance):
            return refusal
        async with allowance.taking:
            # Who waited for another one's answer has the same, or spends of it.
            if refusal := self._refused(allowance):
                return refusal
            if (left := self.spend(name)) is not None:
                return Taken(allowed=True, left=left, wait_seconds=0.0)
            tokens, left, wait_ms = await self._ask(name)
            if not tokens:
                allowance.refused_until = self._clock() + wait_ms / 1000
                return Taken(allowed=False, left=0, wait_seconds=wait_ms / 1000)
            allowance.tokens = tokens - 1
            allowance.left = left
            allowance.spend_until = self._clock() + SPEND_SECONDS
            return Taken(allowed=True, left=left + allowance.tokens, wait_seconds=0.0)

    def _refused(self, allowance: _Allowance) -> Taken | None:
        wait = allowance.refused_until - self._clock()
        return Taken(allowed=False, left=0, wait_seconds=wait) if wait > 0 else None

    async def _ask(self, name: str) -> tuple[int, int, int]:
        if self._redis is not None:
            with suppress(ConnectionFailure):
                found = await self._redis.run_script(
                    TAKE,
                    [f"supervisor:requests:{name}"],
                    [str(self.rate), self.burst, self._share, str(ROUNDING)],
                )
                taken, left, wait_ms = cast("list[int]", found)
                return taken, left, wait_ms
        return self._ask_own(name)

    def _ask_own(self, name: str) -> tuple[int, int, int]:
        """What `TAKE` does, in this process."""
        now = self._clock()
        tokens, at = self._own.get(name, (float(self.burst), now))
        tokens = min(self.burst, tokens + (now - at) * self.rate)
        taken = min(self._share, math.floor(tokens + ROUNDING))
        tokens -= taken
        self._own[name] = (tokens, now)
        # Where one was taken, nobody asks for the wait.
        wait_ms = math.ceil((1 - tokens) / self.rate * 1000)
        return taken, math.floor(tokens + ROUNDING), wait_ms

    def _make_room(self) -> None:
        if len(self._allowances) < MOST_ALLOWANCES:
            return
        now = self._clock()
        self._allowances = {
            name: each
            for name, each in self._allowances.items()
            if each.taking.locked() or max(each.spend_until, each.refused_until) > now
        }
        full = self.burst / self.rate
        self._own = {name: (t, at) for name, (t, at) in self._own.items() if now - at < full}
