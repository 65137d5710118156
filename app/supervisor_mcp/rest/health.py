"""GET /livez, GET /readyz, GET /metrics, GET /."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from falcon.asgi import Request, Response

from supervisor_mcp import identity
from supervisor_mcp.errors import Problem
from supervisor_mcp.operations.state import Readiness, read_readiness, read_state
from supervisor_mcp.rest.operation import (
    JSON,
    NoQuery,
    Operation,
    ReadResource,
    ReadRoute,
    send_json,
)
from supervisor_mcp.telemetry import counts

ALIVE = b'{"status":"ok"}'


class LiveResource(ReadResource):
    """Whether the process answers; it depends on nothing else."""

    path = "/livez"
    operation = Operation(
        "livez", "Whether the process answers", NoQuery, {JSON: {"type": "object"}}
    )

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer ok."""
        self.operation.read(req)
        send_json(resp, ALIVE)


class ReadyResource(ReadResource):
    """Whether requests are answered, and what of the service does not work."""

    path = "/readyz"
    operation = Operation("readyz", "Whether requests are answered", NoQuery, {JSON: Readiness})

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer ready, degraded, or 503."""
        self.operation.read(req)
        readiness = await read_readiness(self._context)
        send_json(resp, msgspec.json.encode(readiness))


class ExpositionResource(ReadResource):
    """Counts and durations of requests of all workers, and what the database holds."""

    path = "/metrics"
    operation = Operation(
        "metrics", "Metrics for Prometheus", NoQuery, {"text/plain": {"type": "string"}}
    )

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer in the Prometheus text format."""
        self.operation.read(req)
        if identity.current.get().namespace:
            raise Problem(
                "namespace_default",
                "the metrics of the service are not those of a namespace",
                hint="Read them with a key that is bound to no namespace.",
            )
        state = await read_state(self._context, self._clock())
        resp.content_type = counts.MEDIA_TYPE
        resp.data = counts.expose(state)


class IndexResource(ReadRoute):
    """The paths of all routes."""

    def __init__(self, links: Mapping[str, str]) -> None:
        self._answer = msgspec.json.encode({"service": "supervisor-mcp", "links": links})

    async def on_get(self, req: Request, resp: Response) -> None:
        """List the paths."""
        INDEX.read(req)
        send_json(resp, self._answer)


INDEX = Operation("index", "The paths of all routes", NoQuery, {JSON: {"type": "object"}})
