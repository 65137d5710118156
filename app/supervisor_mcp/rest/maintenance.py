"""GET /health/maintenance and PUT /health/maintenance/{id}."""

from __future__ import annotations

from falcon.asgi import Request, Response

from supervisor_mcp.operations.maintenance import (
    MaintenancePage,
    MaintenancePlan,
    MaintenanceQuery,
    PlannedMaintenance,
    list_maintenance,
    plan_maintenance,
)
from supervisor_mcp.rest.operation import JSON, Operation, ReadResource, Resource, send_json


class MaintenanceResource(ReadResource):
    """The maintenance windows, by start."""

    path = "/health/maintenance"
    operation = Operation(
        "list_maintenance",
        "List maintenance windows",
        MaintenanceQuery,
        {JSON: MaintenancePage},
        problems=(404,),
    )

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with a page."""
        query = self.operation.read(req)
        send_json(resp, await list_maintenance(self._context, query, self._clock()))


class PlanMaintenanceResource(Resource):
    """One maintenance window."""

    path = "/health/maintenance/{id}"
    operation = Operation(
        "plan_maintenance",
        "Plan, change or cancel a maintenance window",
        MaintenancePlan,
        {JSON: PlannedMaintenance},
        method="put",
        problems=(404, 413, 415),
    )

    async def on_put(self, req: Request, resp: Response) -> None:
        """Plan the window."""
        plan = await self.operation.read_body(req)
        send_json(resp, await plan_maintenance(self._context, plan, self._clock()))
