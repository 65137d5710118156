"""Tools that test alert rules on the past."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from supervisor_mcp.mcp.answers import bounded
from supervisor_mcp.mcp.tool import READING, OperationTool
from supervisor_mcp.operations import backtests
from supervisor_mcp.operations.backtests import BacktestQuery, Threshold, ThresholdQuery
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context

SHORTEN = "Send a shorter range, or a condition that holds less often."


class Tested(Struct):
    """A back-test as REST describes it."""

    alerts: int
    firing_seconds: float
    transitions: list[dict[str, Any]]
    incidents: dict[str, Any] | None


def tools(context: Context, clock: Clock) -> list[OperationTool]:
    """backtest_alert_rule, suggest_threshold."""

    async def backtest_alert_rule(query: BacktestQuery) -> bytes:
        """What a rule would have done in the past. Nothing is stored.

        The answer has the transitions; with incidents also precision, recall and lead times.
        """
        return bounded(await backtests.backtest_alert_rule(context, query, clock()), SHORTEN)

    async def suggest_threshold(query: ThresholdQuery) -> bytes:
        """The threshold with which a condition would have begun to hold so often.

        Example: {"condition": {"kind": "queue_depth", "statistic": "max", "window": "5m",
        "operator": ">"}, "per_month": 2}

        The answer has the threshold and how many alerts it would have given.
        """
        return bounded(await backtests.suggest_threshold(context, query, clock()), SHORTEN)

    return [
        OperationTool.asking(backtest_alert_rule, BacktestQuery, Tested, hints=READING),
        OperationTool.asking(suggest_threshold, ThresholdQuery, Threshold, hints=READING),
    ]
