"""GET /alerts/rules, and PUT, GET and DELETE /alerts/rules/{name}."""

from __future__ import annotations

from falcon.asgi import Request, Response

from supervisor_mcp.operations.alert_rules import (
    DOCUMENT,
    AlertRule,
    AlertRuleListQuery,
    AlertRulePage,
    AlertRuleQuery,
    Definition,
    DeletedAlertRule,
    Deletion,
    define_alert_rule,
    delete_alert_rule,
    get_alert_rule,
    list_alert_rules,
)
from supervisor_mcp.operations.versions import Defined
from supervisor_mcp.rest.bodies import read_document
from supervisor_mcp.rest.operation import JSON, Operation, ReadResource, Resource, send_json

RULE = "/alerts/rules/{name}"


class AlertRulesResource(ReadResource):
    """The rules, by name."""

    path = "/alerts/rules"
    operation = Operation(
        "list_alert_rules",
        "List alert rules",
        AlertRuleListQuery,
        {JSON: AlertRulePage | AlertRule},
        problems=(404,),
    )

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with a page, or with the rule that is named."""
        query = self.operation.read(req)
        send_json(resp, await list_alert_rules(self._context, query, self._clock()))


class DefineAlertRuleResource(Resource):
    """Defines a rule, or changes it."""

    path = RULE
    operation = Operation(
        "define_alert_rule",
        "Define an alert rule",
        Definition,
        {JSON: Defined},
        method="put",
        document=DOCUMENT,
        problems=(413, 415, 429),
    )

    async def on_put(self, req: Request, resp: Response) -> None:
        """Define the rule of the document."""
        query = self.operation.read(req)
        document = await read_document(req)
        send_json(resp, await define_alert_rule(self._context, query, document, self._clock()))


class AlertRuleResource(ReadResource):
    """A rule."""

    path = RULE
    operation = Operation(
        "get_alert_rule",
        "An alert rule and its versions",
        AlertRuleQuery,
        {JSON: AlertRule},
        problems=(404,),
    )

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with the rule."""
        query = self.operation.read(req)
        send_json(resp, await get_alert_rule(self._context, query, self._clock()))


class DeleteAlertRuleResource(Resource):
    """Deletes a rule."""

    path = RULE
    operation = Operation(
        "delete_alert_rule",
        "Delete an alert rule",
        Deletion,
        {JSON: DeletedAlertRule},
        method="delete",
        problems=(404,),
    )

    async def on_delete(self, req: Request, resp: Response) -> None:
        """Delete the rule."""
        query = self.operation.read(req)
        send_json(resp, await delete_alert_rule(self._context, query, self._clock()))
