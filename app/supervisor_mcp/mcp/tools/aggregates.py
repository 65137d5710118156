"""Tools that read aggregates."""

from __future__ import annotations

from supervisor_mcp.mcp.answers import bounded
from supervisor_mcp.mcp.tool import OperationTool
from supervisor_mcp.operations import aggregates
from supervisor_mcp.operations.aggregates import Aggregate, AggregateQuery, Aggregates
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context

NARROW = (
    "Name the fields you need or one kind (list_kinds lists them), narrow with source, or leave out"
    " group_by."
)


def tools(context: Context, clock: Clock) -> list[OperationTool]:
    """query_agg."""

    async def query_agg(query: AggregateQuery) -> bytes:
        """Count, sum, average, extremes and percentiles of a kind over a time window.

        For "how many sales this week", "is latency worse than last week", "which source fails
        most". Prefer it to adding up facts or series.

        The answer covers [from, to] and everything acknowledged before. count is of samples or
        events, other statistics are of their values, in unit; null means no value.
        change is relative to previous, the window before (0.1 is 10 % more). groups are in order
        of count. All is exact but percentiles, whose relative error is error_bound. Without kind
        the answer is {window, kinds}.
        """
        answer = aggregates.find_agg(context, query)
        if answer is None:
            answer = await aggregates.query_agg(context, query, clock())
        return bounded(answer, NARROW)

    return [OperationTool.asking(query_agg, AggregateQuery, Aggregate, Aggregates)]
