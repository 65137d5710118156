"""GET /query/agg."""

from __future__ import annotations

import hashlib

import falcon
from falcon.asgi import Request, Response

from supervisor_mcp.cache.derived import derived
from supervisor_mcp.operations.aggregates import (
    Aggregate,
    AggregateQuery,
    Aggregates,
    find_agg,
    query_agg,
)
from supervisor_mcp.rest.operation import JSON, Operation, ReadResource, send_json


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
        query = self.operation.read(req)
        answer = find_agg(self._context, query)
        if answer is None:
            answer = await query_agg(self._context, query, self._clock())
        tag = _tag(answer)
        # Weak, because the same answer may also be sent compressed.
        resp.set_header("ETag", f'W/"{tag}"')
        resp.set_header("Cache-Control", "no-cache")
        sent = req.if_none_match
        if sent and any(known == "*" or str(known) == tag for known in sent):
            resp.status = falcon.HTTP_304
        else:
            send_json(resp, answer)


@derived
def _tag(answer: bytes) -> str:
    return hashlib.blake2b(answer, digest_size=16).hexdigest()
