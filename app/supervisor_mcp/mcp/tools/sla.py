"""Tools about the SLA of servers and their maintenance."""

from __future__ import annotations

from supervisor_mcp.mcp.answers import bounded
from supervisor_mcp.mcp.tool import REPLACING, OperationTool
from supervisor_mcp.operations import maintenance, sla
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.maintenance import (
    MaintenancePage,
    MaintenancePlan,
    MaintenanceQuery,
    PlannedMaintenance,
)
from supervisor_mcp.operations.sla import SlaPage, SlaQuery

SHORTEN = "Send a shorter window or range, or a smaller limit."


def tools(context: Context, clock: Clock) -> list[OperationTool]:
    """query_sla, plan_maintenance, list_maintenance."""

    async def query_sla(query: SlaQuery) -> bytes:
        """Uptime, outages and error budget of servers over a time.

        The answer has seconds by status, which add up to the time. Unknown (nobody reported) and
        maintenance count neither as up nor as down; coverage_percent is how much of the rest is
        known: doubt an uptime with a low one. left_seconds is what the error budget still allows.
        """
        return bounded(await sla.query_sla(context, query, clock()), SHORTEN)

    async def plan_maintenance(plan: MaintenancePlan) -> bytes:
        """Plan, change or cancel a time in which servers are not expected to work.

        Example: {"id": "update-7", "servers": ["io.github.acme/search"],
        "to": "2030-01-01T02:00:00Z", "author": "ann", "reason": "database update"}

        The answer says whether anything changed, and how many restatements of past figures that
        wrote.
        """
        return bounded(await maintenance.plan_maintenance(context, plan, clock()), SHORTEN)

    async def list_maintenance(query: MaintenanceQuery) -> bytes:
        """Maintenance windows that are planned or active, or were in a range of time.

        The answer is ordered by start.
        """
        return bounded(await maintenance.list_maintenance(context, query, clock()), SHORTEN)

    return [
        OperationTool.asking(query_sla, SlaQuery, SlaPage),
        OperationTool.asking(
            plan_maintenance,
            MaintenancePlan,
            PlannedMaintenance,
            hints=REPLACING,
        ),
        OperationTool.asking(list_maintenance, MaintenanceQuery, MaintenancePage),
    ]
