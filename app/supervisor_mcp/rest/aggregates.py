"""GET /query/agg."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import falcon
from falcon.asgi import Request, Response

from supervisor_mcp.operations.aggregates import (
    Aggregate,
    AggregateQuery,
    Aggregates,
    query_agg,
)
from supervisor_mcp.rest.operation import JSON, Operation, ReadResource, send_json

# What larger answers cost is not in their tag.
REPEATED_BYTES = 16 * 1024


class AggregatesResource(ReadResource):
    """Answers from the cache, with an ETag."""

    path = "/query/agg"
    operation = Operation(
        "query_agg",
        "Statistics of a kind over a window",
        AggregateQuery,
        {JSON: Aggregate | Aggregates},
        problems=(404,),
        headers={"ETag": "Changes with the answer; send it as If-None-Match to get a 304."},
    )

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer, or send 304 when the client has the same answer."""
        answer = await query_agg(self._context, self.operation.read(req), self._clock())
        tag = _repeated_tag(answer) if len(answer) <= REPEATED_BYTES else _tag(answer)
        # Weak, because the same answer may also be sent compressed.
        resp.set_header("ETag", f'W/"{tag}"')
        resp.set_header("Cache-Control", "no-cache")
        sent = req.if_none_match
        if sent and any(known == "*" or str(known) == tag for known in sent):
            resp.status = falcon.HTTP_304
        else:
            send_json(resp, answer)


def _tag(answer: bytes) -> str:
    return hashlib.blake2b(answer, digest_size=16).hexdigest()


_repeated_tag = lru_cache(maxsize=64)(_tag)
