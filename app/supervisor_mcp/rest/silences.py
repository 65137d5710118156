"""GET /alerts/silences and PUT /alerts/silences/{id}."""

from __future__ import annotations

from falcon.asgi import Request, Response

from supervisor_mcp.operations.silences import (
    SilencedAlerts,
    SilencePage,
    SilenceQuery,
    SilenceRequest,
    list_silences,
    silence_alerts,
)
from supervisor_mcp.rest.operation import JSON, Operation, ReadResource, Resource, send_json


class SilencesResource(ReadResource):
    """The silences, by start."""

    path = "/alerts/silences"
    operation = Operation("list_silences", "List silences", SilenceQuery, {JSON: SilencePage})

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with a page."""
        query = self.operation.read(req)
        send_json(resp, await list_silences(self._context, query, self._clock()))


class SilenceAlertsResource(Resource):
    """One silence."""

    path = "/alerts/silences/{id}"
    operation = Operation(
        "silence_alerts",
        "Silence alerts, or change or cancel a silence",
        SilenceRequest,
        {JSON: SilencedAlerts},
        method="put",
        problems=(404, 413, 415, 429),
    )

    async def on_put(self, req: Request, resp: Response) -> None:
        """Silence the alerts."""
        request = await self.operation.read_body(req)
        send_json(resp, await silence_alerts(self._context, request, self._clock()))
