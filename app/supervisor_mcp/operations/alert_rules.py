"""Alert rules: what raises alerts, in versions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from supervisor_mcp.json_text import Json
from supervisor_mcp.operations import text_rules
from supervisor_mcp.operations.arguments import Cursor, Limit
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.documents import SCHEMAS
from supervisor_mcp.operations.json_validation import check_document
from supervisor_mcp.operations.outcome import known_outcome
from supervisor_mcp.operations.query import Query
from supervisor_mcp.operations.versions import Version

DOCUMENT = SCHEMAS["alert_rule"]
RuleState = Literal["firing", "pending", "inactive", "disabled", "error", "deleted"]
RuleName = Annotated[
    str, Meta(description="Name of the rule.", extra_json_schema=text_rules.ALERT_RULE_NAME)
]


class Definition(Query, frozen=True):
    """Which rule to define."""

    name: RuleName


class AlertRuleListQuery(Query, frozen=True):
    """Which rules to list, or which one to show."""

    name: Annotated[
        str | None,
        Meta(
            description="Show this rule, also a deleted one, with its versions.",
            extra_json_schema=text_rules.ALERT_RULE_NAME,
        ),
    ] = None
    q: Annotated[str | None, Meta(description="Part of the name or of the kind.")] = None
    deleted: Annotated[
        bool | None, Meta(description="true lists the deleted rules instead of the others.")
    ] = None
    limit: Limit = None
    cursor: Cursor = None


class AlertRuleQuery(Query, frozen=True):
    """Which rule to show."""

    name: RuleName
    limit: Limit = None
    cursor: Cursor = None


class ListedAlertRule(Struct):
    """A rule in a list."""

    name: str
    state: Annotated[RuleState, Meta(description="firing or pending: it has such an alert.")]
    firing: Annotated[int, Meta(description="Alerts that are firing.")]
    pending: Annotated[int, Meta(description="Alerts that are pending.")]
    severity: Annotated[str, Meta(description="critical, warning or info.")]
    type: Annotated[str, Meta(description="metric, health, keepalive, burn_rate or fact.")]
    version: int
    author: str
    defined_at: Annotated[str, Meta(description="When this version was defined.")]
    evaluated_at: str | None
    error: Annotated[str | None, Meta(description="Why it cannot be evaluated.")]


class AlertRule(ListedAlertRule):
    """A rule with its versions, the newest first; next_cursor is null on their last page."""

    error_since: str | None
    deleted_at: str | None
    deleted_by: str | None
    document: Annotated[dict[str, Any], Meta(description="What it says, with its defaults.")]
    versions: list[Version]
    next_cursor: str | None


class AlertRulePage(Struct):
    """Rules by name; next_cursor is null on the last page."""

    items: list[ListedAlertRule]
    next_cursor: str | None


class Deletion(Query, frozen=True):
    """Which rule to delete."""

    name: RuleName
    author: Annotated[
        str, Meta(description="Send who deletes the rule.", extra_json_schema=text_rules.OWNER)
    ]


class DeletedAlertRule(Struct):
    """A rule that does not exist any more."""

    name: str
    deleted_at: str
    deleted_by: str
    ended: Annotated[int, Meta(description="Alerts that ended with it.")]


async def define_alert_rule(
    context: Context, query: Definition, document: bytes, now: datetime
) -> bytes:
    """A `Defined` as JSON; it is committed. Raises `Problem`."""
    await check_document(document)
    arguments = {**query.arguments(), "document": Json(document), "now": now}
    with known_outcome("the rule is defined"):
        return await context.database.write_json("define_alert_rule", arguments)


async def list_alert_rules(context: Context, query: AlertRuleListQuery, now: datetime) -> bytes:
    """An `AlertRulePage` as JSON, or an `AlertRule` where one is named. Raises `Problem`."""
    return await context.reads.read_json("list_alert_rules", {**query.arguments(), "now": now})


async def get_alert_rule(context: Context, query: AlertRuleQuery, now: datetime) -> bytes:
    """An `AlertRule` as JSON. Raises `Problem`."""
    named = AlertRuleListQuery(name=query.name, limit=query.limit, cursor=query.cursor)
    return await list_alert_rules(context, named, now)


async def delete_alert_rule(context: Context, query: Deletion, now: datetime) -> bytes:
    """A `DeletedAlertRule` as JSON; it is committed. Raises `Problem`."""
    arguments = {**query.arguments(), "now": now}
    with known_outcome("the rule is deleted"):
        return await context.database.write_json("delete_alert_rule", arguments)
