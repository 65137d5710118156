"""The limit of requests of one identity, and the headers that tell it.

The headers are those of draft-ietf-httpapi-ratelimit-headers-10.
"""

from __future__ import annotations

import math

from supervisor_mcp.cache.token_bucket import Taken, TokenBuckets
from supervisor_mcp.errors import Problem
from supervisor_mcp.identity import ANYONE, Identity

Headers = list[tuple[bytes, bytes]]


class RateLimit:
    """Counts requests against the bucket of who sends them."""

    def __init__(self, buckets: TokenBuckets) -> None:
        self._buckets = buckets
        window = math.ceil(buckets.burst / buckets.rate)
        self._policy = (b"ratelimit-policy", b'"requests";q=%d;w=%d' % (buckets.burst, window))

    async def admit(self, sender: Identity) -> tuple[Headers, Problem | None]:
        """The headers of the answer, and the problem of a request too many.

        Without authentication there is nobody to count.
        """
        if sender is ANYONE:
            return [], None
        taken = await self._buckets.take(sender.name)
        problem = None if taken.allowed else self._refusal(sender, taken)
        left = b'"requests";r=%d' % taken.left
        if problem is not None:
            left += b";t=%d" % (problem.retry_after or 1)
        return [self._policy, (b"ratelimit", left)], problem

    async def close(self) -> None:
        """Drop the connections."""
        await self._buckets.close()

    def _refusal(self, sender: Identity, taken: Taken) -> Problem:
        return Problem(
            "requests_within_limit",
            f'"{sender.name}" sends more than {self._buckets.rate:g} requests a second',
            hint="Send the request again after the seconds in Retry-After, and batch items."
            " SUPERVISOR_REQUESTS_PER_SECOND is the limit.",
            params={"retry_after_seconds": math.ceil(taken.wait_seconds * 1000) / 1000},
        )
