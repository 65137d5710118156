"""GET /query/metrics."""

from __future__ import annotations

from falcon.asgi import Request, Response

from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.metrics import SeriesQuery, query_metrics
from supervisor_mcp.rest.parameters import INSTANT, LABEL, Parameter, Parameters


class SeriesResource:
    """The points of series, gaps filled."""

    parameters = Parameters(
        Parameter("name", "Name of the metric.", required=True),
        Parameter("source", "Only what this source sent."),
        Parameter("from", "Start; 24 hours before `to` when absent.", INSTANT),
        Parameter("to", "End, not included; now when absent.", INSTANT),
        Parameter(
            "step",
            "Distance of the points, such as 30s, 5m, 1h or 1d.",
            {"type": "string", "pattern": "^[1-9][0-9]{0,3}[smhd]$"},
        ),
        labels=True,
    )

    def __init__(self, context: Context, clock: Clock) -> None:
        self._context = context
        self._clock = clock

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with the series that carry the labels."""
        sent = self.parameters.read(req.query_string)
        query = SeriesQuery.read(
            name=sent.get("name"),
            source=sent.get("source"),
            labels={
                name.removeprefix(LABEL): value
                for name, value in sent.items()
                if name.startswith(LABEL)
            },
            start=sent.get("from"),
            end=sent.get("to"),
            step=sent.get("step"),
        )
        resp.data = await query_metrics(self._context, query, self._clock())
