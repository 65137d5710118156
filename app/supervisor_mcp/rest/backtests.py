"""POST /alerts/rules/backtest and /alerts/rules/threshold: questions that need a body."""

from __future__ import annotations

from falcon.asgi import Request, Response

from supervisor_mcp.operations.backtests import (
    Backtest,
    BacktestQuery,
    Threshold,
    ThresholdQuery,
    backtest_alert_rule,
    suggest_threshold,
)
from supervisor_mcp.rest.operation import JSON, Operation, Resource, send_json


class BacktestResource(Resource):
    """Tests a rule on the past."""

    path = "/alerts/rules/backtest"
    operation = Operation(
        "backtest_alert_rule",
        "Test an alert rule on the past",
        BacktestQuery,
        {JSON: Backtest},
        method="post",
        problems=(404, 413, 415),
    )

    async def on_post(self, req: Request, resp: Response) -> None:
        """Answer with what the rule would have done."""
        query = await self.operation.read_body(req)
        send_json(resp, await backtest_alert_rule(self._context, query, self._clock()))


class ThresholdResource(Resource):
    """Suggests a threshold."""

    path = "/alerts/rules/threshold"
    operation = Operation(
        "suggest_threshold",
        "Suggest a threshold for a condition",
        ThresholdQuery,
        {JSON: Threshold},
        method="post",
        problems=(413, 415),
    )

    async def on_post(self, req: Request, resp: Response) -> None:
        """Answer with the threshold that history gives."""
        query = await self.operation.read_body(req)
        send_json(resp, await suggest_threshold(self._context, query, self._clock()))
