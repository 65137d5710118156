"""The limit of requests of one identity, and the headers that report it.

The headers are those of draft-ietf-httpapi-ratelimit-headers-10.
"""

from __future__ import annotations

import math

from starlette.types import Scope

from supervisor_mcp.cache.connection import Connection
from supervisor_mcp.cache.token_bucket import Taken, TokenBuckets
from supervisor_mcp.config import Settings
from supervisor_mcp.errors import Problem
from supervisor_mcp.identity import Identity


class RateLimit:
    """Counts requests against the bucket of who sends them."""

    def __init__(self, buckets: TokenBuckets) -> None:
        self._buckets = buckets
        window = math.ceil(buckets.burst / buckets.rate)
        self._policy = (b"ratelimit-policy", b'"requests";q=%d;w=%d' % (buckets.burst, window))

    def admits(self, sender: Identity, scope: Scope) -> bool:
        """As `admit`, without a coroutine; False where this process has no token."""
        left = self._buckets.spend(sender.full_name)
        if left is None:
            return False
        scope["supervisor.headers"] = self._headers(b'"requests";r=%d' % left)
        return True

    async def admit(self, sender: Identity, scope: Scope) -> None:
        """Take a token; `supervisor.headers` of the scope says what is left. Raises `Problem`."""
        taken = await self._buckets.take(sender.full_name)
        if not taken.allowed:
            wait = math.ceil(taken.wait_seconds)
            scope["supervisor.headers"] = self._headers(b'"requests";r=0;t=%d' % wait)
            raise self._refusal(sender, taken)
        scope["supervisor.headers"] = self._headers(b'"requests";r=%d' % taken.left)

    def _headers(self, left: bytes) -> tuple[tuple[bytes, bytes], ...]:
        return (self._policy, (b"ratelimit", left))

    def _refusal(self, sender: Identity, taken: Taken) -> Problem:
        return Problem(
            "requests_within_limit",
            f'"{sender.name}" sends more than {self._buckets.rate:g} requests a second',
            hint="Send the request again after the seconds in Retry-After, and batch items."
            " SUPERVISOR_REQUESTS_PER_SECOND is the limit.",
            params={"retry_after_seconds": math.ceil(taken.wait_seconds * 1000) / 1000},
        )


def build(settings: Settings, redis: Connection | None) -> RateLimit | None:
    """The limit that the settings describe; None where there is none."""
    if settings.requests_per_second == 0:
        return None
    return RateLimit(
        TokenBuckets(redis, rate=settings.requests_per_second, burst=settings.requests_burst)
    )
