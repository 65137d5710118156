"""GET /query/agg."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import falcon
from falcon.asgi import Request, Response

from supervisor_mcp.operations.aggregates import AggregateQuery, query_agg
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.rest.parameters import INSTANT, Parameter, Parameters

PARAMETERS = Parameters(
    Parameter("kind", "A metric name or Fact:<Name>; every kind when absent."),
    Parameter(
        "window",
        "How far back from now: hours or days.",
        {"type": "string", "pattern": "^[1-9][0-9]{0,3}[hd]$", "examples": ["7d", "30d"]},
        required=True,
    ),
    Parameter("source", "Only what this source sent."),
    Parameter(
        "group_by",
        "Adds groups by source or by a label.",
        {"type": "string", "pattern": r"^(source|label\.[A-Za-z_][A-Za-z0-9_.]{0,99})$"},
    ),
    Parameter("as_of", "What was answered at this instant.", INSTANT),
)


class AggregatesResource:
    """Answers from the cache, with an ETag."""

    parameters = PARAMETERS

    def __init__(self, context: Context, clock: Clock) -> None:
        self._context = context
        self._clock = clock

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer, or say 304 that the answer is the one that the client has."""
        answer = await query_agg(self._context, _read(req.query_string), self._clock())
        tag = hashlib.blake2b(answer, digest_size=16).hexdigest()
        resp.set_header("ETag", f'"{tag}"')
        resp.set_header("Cache-Control", "no-cache")
        sent = req.if_none_match
        if sent and any(known == "*" or str(known) == tag for known in sent):
            resp.status = falcon.HTTP_304
        else:
            resp.data = answer


@lru_cache(maxsize=256)
def _read(query: str) -> AggregateQuery:
    return AggregateQuery.read(**{"window": None, **PARAMETERS.read(query)})
