"""Tools about alerts and silences."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from supervisor_mcp.mcp.answers import bounded
from supervisor_mcp.mcp.tool import REPLACING, STORING, OperationTool
from supervisor_mcp.operations import alerts, silences
from supervisor_mcp.operations.alerts import (
    Acknowledgement,
    ActiveAlertQuery,
    AlertHistoryQuery,
)
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.silences import (
    SilencedAlerts,
    SilenceQuery,
    SilenceRequest,
)

SHORTEN = "Send a smaller limit."


class Page(Struct):
    """Items as REST describes them: what they contain explains itself."""

    items: list[dict[str, Any]]
    next_cursor: str | None


class AlertPage(Page):
    """hint says which labels that were sent no alert and no rule has."""

    hint: str | None


class Acked(Struct):
    """An alert with its acknowledgement."""

    id: str
    ack: dict[str, Any]


def tools(context: Context, clock: Clock) -> list[OperationTool]:
    """list_active_alerts, list_alert_history, ack_alert, silence_alerts, list_silences."""

    async def list_active_alerts(query: ActiveAlertQuery) -> bytes:
        """Alerts that are pending or firing, with the evidence of each.

        The answer is ordered by severity; value is that of the last change of state. silenced_by,
        inhibited_by (a more severe alert about the same) and maintenance say why one is suppressed.
        """
        return bounded(await alerts.list_active_alerts(context, query, clock()), SHORTEN)

    async def list_alert_history(query: AlertHistoryQuery) -> bytes:
        """Changes of the states of alerts, years back.

        The answer has the newest first; evidence.query is a call that shows the values.
        """
        return bounded(await alerts.list_alert_history(context, query, clock()), SHORTEN)

    async def ack_alert(acknowledgement: Acknowledgement) -> bytes:
        """Say who takes care of an active alert.

        The answer has the acknowledgement.
        """
        return await alerts.ack_alert(context, acknowledgement, clock())

    async def silence_alerts(request: SilenceRequest) -> bytes:
        """Keep alerts from notifying anybody for a time; also to change or cancel that.

        Example: {"id": "update-7", "matchers": [{"name": "source", "operator": "=~",
        "value": "shop-.*"}], "to": "2030-01-01T02:00:00Z", "author": "ann", "comment": "update"}

        The answer says how many active alerts match.
        """
        return await silences.silence_alerts(context, request, clock())

    async def list_silences(query: SilenceQuery) -> bytes:
        """Silences, by default those that have not ended.

        The answer is ordered by start. versions says who created, changed or cancelled a silence.
        """
        return bounded(await silences.list_silences(context, query, clock()), SHORTEN)

    return [
        OperationTool.asking(list_active_alerts, ActiveAlertQuery, AlertPage),
        OperationTool.asking(list_alert_history, AlertHistoryQuery, AlertPage),
        OperationTool.asking(ack_alert, Acknowledgement, Acked, hints=STORING),
        OperationTool.asking(silence_alerts, SilenceRequest, SilencedAlerts, hints=REPLACING),
        OperationTool.asking(list_silences, SilenceQuery, Page),
    ]
