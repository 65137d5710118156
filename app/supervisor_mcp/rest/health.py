"""GET /livez, GET /readyz, GET /metrics, GET /."""

from __future__ import annotations

import msgspec
from falcon.asgi import Request, Response

from supervisor_mcp import telemetry
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.state import read_readiness, read_state
from supervisor_mcp.rest.parameters import Parameters

ALIVE = b'{"status":"ok"}'
NO_PARAMETERS = Parameters()


class LiveResource:
    """Whether the process answers; it asks nothing else."""

    parameters = NO_PARAMETERS

    async def on_get(self, req: Request, resp: Response) -> None:
        """Say ok."""
        self.parameters.read(req.query_string)
        resp.data = ALIVE


class ReadyResource:
    """Whether questions are answered, and whether the cache helps."""

    parameters = NO_PARAMETERS

    def __init__(self, context: Context, clock: Clock) -> None:
        self._context = context
        self._clock = clock

    async def on_get(self, req: Request, resp: Response) -> None:
        """Say ready, degraded, or 503."""
        self.parameters.read(req.query_string)
        resp.data = msgspec.json.encode(await read_readiness(self._context, self._clock()))


class ExpositionResource:
    """Counts and durations of requests in all workers, and what the database holds."""

    parameters = NO_PARAMETERS

    def __init__(self, context: Context, clock: Clock) -> None:
        self._context = context
        self._clock = clock

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer in the Prometheus text format."""
        self.parameters.read(req.query_string)
        state = await read_state(self._context, self._clock())
        resp.content_type = telemetry.MEDIA_TYPE
        resp.data = telemetry.expose(state)


class IndexResource:
    """Where things are."""

    parameters = NO_PARAMETERS

    def __init__(self, links: dict[str, str]) -> None:
        self._answer = msgspec.json.encode({"service": "supervisor-mcp", "links": links})

    async def on_get(self, req: Request, resp: Response) -> None:
        """List the paths."""
        self.parameters.read(req.query_string)
        resp.data = self._answer
