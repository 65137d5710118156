"""Back-tests: what an alert rule would have done, and which threshold history suggests."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct, field

from supervisor_mcp.operations import text_rules
from supervisor_mcp.operations.arguments import Timestamp
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.documents import SCHEMAS
from supervisor_mcp.operations.query import Query

Step = Annotated[
    str | None,
    Meta(
        description="Time between evaluations, such as 1m. If left out, it fits the range: for 7 to"
        " 30 days, 5m, or 1h with windows longer than 6 hours.",
        extra_json_schema=text_rules.STEP,
    ),
]


# The author of a rule that is only tested does not matter, nor the threshold that is asked for.
RULE = {
    **SCHEMAS["alert_rule"],
    "description": "A rule as in define_alert_rule.",
    "required": ["condition"],
}
(METRIC,) = (
    alternative
    for alternative in RULE["properties"]["condition"]["oneOf"]
    if alternative["title"] == "metric"
)
CONDITION = {
    **METRIC,
    "required": ["kind", "statistic", "window"],
    "properties": {
        **METRIC["properties"],
        "statistic": METRIC["properties"]["divided_by"]["properties"]["statistic"],
        "operator": {"type": "string", "enum": [">", ">=", "<", "<="]},
        "threshold": {},
    },
}


class BacktestQuery(Query, frozen=True):
    """A rule and the time to test it on."""

    rule: Annotated[dict[str, Any] | None, Meta(extra_json_schema=RULE)] = None
    name: Annotated[
        str | None,
        Meta(
            description="Or the name of a defined rule.",
            extra_json_schema=text_rules.ALERT_RULE_NAME,
        ),
    ] = None
    from_: Annotated[
        Timestamp | None, Meta(description="Start; 7 days before the end if left out.")
    ] = field(default=None, name="from")
    to: Annotated[Timestamp | None, Meta(description="End; now if left out.")] = None
    step: Step = None
    incidents: Annotated[
        list[dict[str, Any]] | None,
        Meta(
            description="Incidents that it should have found: {from, to}.",
            extra_json_schema=SCHEMAS["incidents"],
        ),
    ] = None
    incident_kind: Annotated[
        str | None,
        Meta(
            description="Or facts: from their ts, for payload.duration_seconds.",
            extra_json_schema=text_rules.FACT_KIND,
        ),
    ] = None
    points: Annotated[
        int | None,
        Meta(
            description="How many points of the series to draw; none if left out.",
            extra_json_schema={"minimum": 1, "maximum": 1000},
        ),
    ] = None


class ThresholdQuery(Query, frozen=True):
    """A condition, and how often it may begin to hold."""

    condition: Annotated[
        dict[str, Any],
        Meta(
            description="Of type metric, without a threshold: {kind, statistic, window, operator}.",
            extra_json_schema=CONDITION,
        ),
    ]
    per_month: Annotated[
        int,
        Meta(
            description="Alerts wanted in 30 days.",
            extra_json_schema={"minimum": 0, "maximum": 100_000},
        ),
    ]
    from_: Annotated[
        Timestamp | None, Meta(description="Start; 30 days before the end if left out.")
    ] = field(default=None, name="from")
    to: Annotated[Timestamp | None, Meta(description="End; now if left out.")] = None
    step: Step = None


class TestedTransition(Struct):
    """A change of state that the rule would have made."""

    at: str
    labels: dict[str, str]
    from_state: str
    to_state: str
    value: float | None


class TestedSeries(Struct):
    """The values of the condition for one group, each the nearest to the threshold of its time."""

    labels: dict[str, str]
    operator: str | None
    threshold: float | None
    points: Annotated[list[list[Any]], Meta(description="[at, value]")]


class TestedIncident(Struct):
    """An incident, and the first alert in it; lead_seconds is negative after its start."""

    from_: str = field(name="from")
    to: str
    alerted_at: str | None
    lead_seconds: float | None


class Score(Struct):
    """How the alerts meet the incidents."""

    count: int
    detected: int
    recall: float | None
    precision: float | None
    false_alarms: int
    median_lead_seconds: float | None
    items: list[TestedIncident]


class Backtest(Struct):
    """What the rule would have done; truncated says that there were more transitions."""

    from_: str = field(name="from")
    to: str
    step_seconds: float
    alerts: int
    firing_seconds: float
    transitions: list[TestedTransition]
    series: TestedSeries | None
    truncated: bool
    incidents: Score | None
    incidents_outside: int | None


class Threshold(Struct):
    """The threshold, how often the condition would have begun to hold, and how long it held."""

    from_: str = field(name="from")
    to: str
    step_seconds: float
    operator: str
    threshold: float | None
    alerts: int
    per_month: float | None
    holds_percent: float | None
    coverage_percent: float
    evaluations: int


async def backtest_alert_rule(context: Context, query: BacktestQuery, now: datetime) -> bytes:
    """A `Backtest` as JSON. Raises `Problem`."""
    return await context.reads.read_json("backtest_alert_rule", {**query.arguments(), "now": now})


async def suggest_threshold(context: Context, query: ThresholdQuery, now: datetime) -> bytes:
    """A `Threshold` as JSON. Raises `Problem`."""
    return await context.reads.read_json("suggest_threshold", {**query.arguments(), "now": now})
