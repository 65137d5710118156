"""Tools about the health of servers."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from supervisor_mcp.mcp.answers import bounded
from supervisor_mcp.mcp.items import batch_tool
from supervisor_mcp.mcp.tool import STORING, OperationTool
from supervisor_mcp.operations import heartbeats, server_health
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.heartbeats import Heartbeats, Renewal
from supervisor_mcp.operations.server_health import (
    HealthListQuery,
    HealthPage,
    HealthQuery,
    ReportItem,
)

NARROW = "Filter with status or tag, or send a smaller limit."
REPORTS = (
    "Each says what was observed of a server at ts (now if left out), in how many latency_ms, why"
    " (detail) and by whom (reporter)."
)


class Health(Struct):
    """The health of a server as REST describes it: what it has explains itself."""

    server: str
    status: str
    disagreement: str | None
    signals: list[dict[str, Any]]
    outages: list[dict[str, Any]]


def report_health() -> None:
    """Report what you observe of servers: up, degraded or down, with latency and reason.

    Example: {"items": [{"server": "io.github.acme/search", "status": "degraded",
    "latency_ms": 2100, "detail": "slow search", "reporter": "agent-7"}]}

    The answer is a receipt. A status changes after several reports in a row that say the same.
    late reports are older than the newest one and change nothing.
    """


def tools(context: Context, clock: Clock) -> list[OperationTool]:
    """report_health, heartbeat, get_health, list_health."""

    async def heartbeat(query: Heartbeats) -> bytes:
        """Say that servers are alive; one that stays silent for three intervals becomes unknown.

        The answer counts the renewed keep-alives and lists names that are not registered.
        """
        return await heartbeats.heartbeat(context, query, clock())

    async def get_health(query: HealthQuery) -> bytes:
        """How a server is now, and why: all signals, maintenance, last outages.

        The answer has the worst known signal as status. signals: keepalive (it says it lives),
        probe (this service asks it), traffic (errors its callers see), report (what agents say);
        streak counts the newest reports that equal last_status. disagreement is a sentence where
        signals contradict each other: trust traffic over probe, and probe over keepalive.
        """
        return await server_health.get_health(context, query, clock())

    async def list_health(query: HealthListQuery) -> bytes:
        """How all servers are now, in short. For "what is down", "where do signals disagree".

        The answer is ordered by name. get_health explains one server.
        """
        return bounded(await server_health.list_health(context, query, clock()), NARROW)

    return [
        batch_tool(
            report_health,
            ReportItem,
            server_health.report_health,
            context,
            clock,
            about=REPORTS,
        ),
        OperationTool.asking(heartbeat, Heartbeats, Renewal, hints=STORING),
        OperationTool.asking(get_health, HealthQuery, Health),
        OperationTool.asking(list_health, HealthListQuery, HealthPage),
    ]
