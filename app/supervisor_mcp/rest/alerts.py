"""GET /alerts/active, /alerts/history and /alerts/stream, and POST /alerts/active/{id}/ack."""

from __future__ import annotations

from falcon.asgi import Request, Response

from supervisor_mcp.operations.alerts import (
    AckedAlert,
    Acknowledgement,
    ActiveAlertPage,
    ActiveAlertQuery,
    AlertHistoryPage,
    AlertHistoryQuery,
    AlertStreamQuery,
    AlertTransition,
    ack_alert,
    list_active_alerts,
    list_alert_history,
    stream_alerts,
)
from supervisor_mcp.operations.streams import Messages
from supervisor_mcp.rest.operation import JSON, Operation, ReadResource, Resource, send_json
from supervisor_mcp.rest.streams import EVENTS, StreamResource


class ActiveAlertsResource(ReadResource):
    """The alerts that are pending or firing, by severity."""

    path = "/alerts/active"
    operation = Operation(
        "list_active_alerts",
        "List active alerts",
        ActiveAlertQuery,
        {JSON: ActiveAlertPage},
        problems=(404,),
    )

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with a page."""
        query = self.operation.read(req)
        send_json(resp, await list_active_alerts(self._context, query, self._clock()))


class AlertHistoryResource(ReadResource):
    """The changes of the states of alerts, the newest first."""

    path = "/alerts/history"
    operation = Operation(
        "list_alert_history",
        "List changes of the states of alerts",
        AlertHistoryQuery,
        {JSON: AlertHistoryPage},
        problems=(404,),
    )

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with a page."""
        query = self.operation.read(req)
        send_json(resp, await list_alert_history(self._context, query, self._clock()))


class AlertStreamResource(StreamResource):
    """The changes of the states of alerts as they are found."""

    path = "/alerts/stream"
    event = "alert"
    operation = Operation(
        "stream_alerts",
        "Changes of the states of alerts as they are found, as server-sent events",
        AlertStreamQuery,
        {EVENTS: AlertTransition},
        problems=(404, 406),
    )

    async def open(self, query: AlertStreamQuery) -> Messages:
        """The changes after `last_event_id`."""
        return await stream_alerts(self._context, query)


class AckAlertResource(Resource):
    """The acknowledgement of an active alert."""

    path = "/alerts/active/{id}/ack"
    operation = Operation(
        "ack_alert",
        "Acknowledge an alert",
        Acknowledgement,
        {JSON: AckedAlert},
        method="post",
        problems=(404, 413, 415),
    )

    async def on_post(self, req: Request, resp: Response) -> None:
        """Acknowledge the alert."""
        acknowledgement = await self.operation.read_body(req)
        send_json(resp, await ack_alert(self._context, acknowledgement, self._clock()))
