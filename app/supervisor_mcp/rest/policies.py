"""GET and PUT /admin/policies, and the plan of a retention."""

from __future__ import annotations

from falcon.asgi import Request, Response

from supervisor_mcp.operations.policies import (
    ChangedPolicy,
    PolicyChange,
    PolicyList,
    PolicyQuery,
    RetentionPlan,
    RetentionQuery,
    list_policies,
    plan_retention,
    set_policy,
)
from supervisor_mcp.rest.operation import JSON, Operation, ReadResource, Resource, send_json


class PoliciesResource(ReadResource):
    """The policies, by kind and name."""

    path = "/admin/policies"
    operation = Operation("list_policies", "List policies", PolicyQuery, {JSON: PolicyList})

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with all of them."""
        send_json(resp, await list_policies(self._context, self.operation.read(req)))


class SetPolicyResource(Resource):
    """One policy."""

    path = "/admin/policies/{policy}/{name}"
    operation = Operation(
        "set_policy",
        "Set a policy",
        PolicyChange,
        {JSON: ChangedPolicy},
        method="put",
        problems=(403, 404, 409, 413, 415),
    )

    async def on_put(self, req: Request, resp: Response) -> None:
        """Set the policy."""
        change = await self.operation.read_body(req)
        send_json(resp, await set_policy(self._context, change))


class RetentionPlanResource(ReadResource):
    """What a retention would drop."""

    path = "/admin/policies/retention/{name}/plan"
    operation = Operation(
        "plan_retention",
        "Plan a retention",
        RetentionQuery,
        {JSON: RetentionPlan},
        problems=(403, 404),
    )

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with what would go."""
        query = self.operation.read(req)
        send_json(resp, await plan_retention(self._context, query, self._clock()))
