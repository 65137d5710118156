"""Tools of alert rules."""

from __future__ import annotations

from supervisor_mcp.mcp.answers import bounded
from supervisor_mcp.mcp.tool import REMOVING, OperationTool
from supervisor_mcp.operations import alert_rules
from supervisor_mcp.operations.alert_rules import (
    DOCUMENT,
    AlertRule,
    AlertRuleListQuery,
    AlertRulePage,
    Definition,
    DeletedAlertRule,
    Deletion,
)
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.versions import Defined

NARROW = "Send a smaller limit."


def tools(context: Context, clock: Clock) -> list[OperationTool]:
    """define_alert_rule, list_alert_rules, delete_alert_rule."""

    async def define_alert_rule(query: Definition, document: bytes) -> bytes:
        """Define a rule that raises alerts, or change it: former versions stay.

        Example: {"name": "queue_long", "author": "ann", "condition": {"type": "metric",
        "kind": "queue_depth", "statistic": "max", "window": "5m", "operator": ">",
        "threshold": 100, "group_by": "source"}}

        Windows are 1m to 30d. Without servers and tags, a condition is about all servers.
        The answer says what has changed; an error lists every broken rule in params.faults.
        """
        return await alert_rules.define_alert_rule(context, query, document, clock())

    async def list_alert_rules(query: AlertRuleListQuery) -> bytes:
        """The alert rules with their states.

        The answer is ordered by name; error says why a rule cannot be evaluated. With name, it is
        that rule alone, with document and versions [{version, author, from, to, changes}].
        """
        return bounded(await alert_rules.list_alert_rules(context, query, clock()), NARROW)

    async def delete_alert_rule(query: Deletion) -> bytes:
        """Delete an alert rule, which ends its alerts; its history stays.

        The answer counts the alerts that ended.
        """
        return await alert_rules.delete_alert_rule(context, query, clock())

    return [
        OperationTool.taking(define_alert_rule, Definition, DOCUMENT, Defined),
        OperationTool.asking(list_alert_rules, AlertRuleListQuery, AlertRulePage, AlertRule),
        OperationTool.asking(delete_alert_rule, Deletion, DeletedAlertRule, hints=REMOVING),
    ]
