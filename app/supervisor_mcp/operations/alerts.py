"""Alerts: those that are active, their history, and who takes care of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from supervisor_mcp.operations import text_rules
from supervisor_mcp.operations.arguments import Cursor, From, LastEventId, Limit, Timestamp, To
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.outcome import known_outcome
from supervisor_mcp.operations.query import Query
from supervisor_mcp.operations.streams import Messages

Severity = Literal["critical", "warning", "info"]
State = Literal["pending", "firing"]
OnlyRule = Annotated[
    str | None,
    Meta(description="Only this rule.", extra_json_schema=text_rules.ALERT_RULE_NAME),
]
OnlyId = Annotated[str | None, Meta(description="Only this alert.")]
OnlyServer = Annotated[
    str | None,
    Meta(
        description="Only what is about this server or its source.",
        extra_json_schema=text_rules.SERVER_NAME,
    ),
]
OnlyLabels = Annotated[
    dict[str, str] | None, Meta(description='Only these labels: {"severity": "critical"}.')
]


Hint = Annotated[
    str | None, Meta(description="Which of the labels that were sent no alert and no rule has.")
]


class ActiveAlertQuery(Query, frozen=True):
    """Which active alerts to list."""

    state: Annotated[State | None, Meta(description="Only this state.")] = None
    rule: OnlyRule = None
    id: OnlyId = None
    server: OnlyServer = None
    labels: OnlyLabels = None
    suppressed: Annotated[bool | None, Meta(description="Whether it notifies nobody.")] = None
    limit: Limit = None
    cursor: Cursor = None


class AlertHistoryQuery(Query, frozen=True):
    """Which changes of the states of alerts to list."""

    rule: OnlyRule = None
    id: OnlyId = None
    labels: OnlyLabels = None
    from_: From = field(default=None, name="from")
    to: To = None
    limit: Limit = None
    cursor: Cursor = None


class AlertStreamQuery(Query, frozen=True):
    """Which changes of the states of alerts to send as they happen."""

    rule: OnlyRule = None
    labels: OnlyLabels = None
    last_event_id: LastEventId = None


class Acknowledgement(Query, frozen=True):
    """Who takes care of an alert."""

    id: Annotated[str, Meta(description="Id of the alert.")]
    author: Annotated[
        str, Meta(description="Who takes care of it.", extra_json_schema=text_rules.OWNER)
    ]
    until: Annotated[
        Timestamp | None, Meta(description="Until when; until it is resolved if left out.")
    ] = None
    note: Annotated[
        str | None,
        Meta(description="Note.", extra_json_schema={"minLength": 1, "maxLength": 1000}),
    ] = None


class Ack(Struct):
    """Who takes care of an alert, since when and until when."""

    author: str
    at: str
    until: str | None
    note: str | None


class AckedAlert(Struct):
    """An alert with its acknowledgement."""

    id: str
    rule: str
    state: State
    ack: Ack


class ActiveAlert(Struct):
    """An alert that is pending or firing; a suppressed one notifies nobody."""

    id: str
    rule: str
    version: int
    severity: Severity
    state: State
    labels: dict[str, str]
    annotations: dict[str, str]
    value: Annotated[float | None, Meta(description="At the last change of state.")]
    active_at: str
    fired_at: str | None
    recovering_at: str | None
    ack: Ack | None
    suppressed: bool
    silenced_by: list[str]
    inhibited_by: list[str]
    maintenance: list[str]
    evidence: dict[str, Any]


class ActiveAlertPage(Struct):
    """Active alerts by severity, then the longest first; next_cursor is null on the last page."""

    items: list[ActiveAlert]
    next_cursor: str | None
    hint: Hint


class AlertTransition(Struct):
    """A change of the state of an alert; late if late data caused it."""

    id: str
    rule: str
    version: int
    severity: Severity
    at: str
    from_state: Literal["inactive", "pending", "firing"]
    to_state: Literal["pending", "firing", "inactive", "resolved"]
    late: bool
    value: float | None
    labels: dict[str, str]
    annotations: dict[str, str]
    evidence: dict[str, Any]


class AlertHistoryPage(Struct):
    """Changes of states, the newest first; next_cursor is null on the last page."""

    items: list[AlertTransition]
    next_cursor: str | None
    hint: Hint


async def list_active_alerts(context: Context, query: ActiveAlertQuery, now: datetime) -> bytes:
    """An `ActiveAlertPage` as JSON. Raises `Problem`."""
    arguments = {**query.arguments(), "now": now}
    return await context.reads.read_json("list_active_alerts", arguments)


async def list_alert_history(context: Context, query: AlertHistoryQuery, now: datetime) -> bytes:
    """An `AlertHistoryPage` as JSON. Raises `Problem`."""
    arguments = {**query.arguments(), "now": now}
    return await context.reads.read_json("list_alert_history", arguments)


async def stream_alerts(
    context: Context, query: AlertStreamQuery, *, counted: bool = True
) -> Messages:
    """Changes of states as they are found, each an `AlertTransition` as JSON.

    Where it is not `counted`, it takes no place of a client. Raises `Problem`.
    """
    arguments = query.arguments()
    labels = dict(query.labels or {})
    if query.rule is not None:
        labels["alertname"] = query.rule
    return await context.streams.alerts.open(arguments, labels, counted=counted)


async def ack_alert(context: Context, acknowledgement: Acknowledgement, now: datetime) -> bytes:
    """An `AckedAlert` as JSON; it is committed. Raises `Problem`."""
    arguments = {**acknowledgement.arguments(), "now": now}
    with known_outcome("the alert is acknowledged"):
        return await context.database.write_json("ack_alert", arguments)
