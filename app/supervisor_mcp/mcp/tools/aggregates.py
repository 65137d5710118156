"""What kinds amount to over a window."""

from __future__ import annotations

from typing import Annotated

from supervisor_mcp.mcp.answers import bounded
from supervisor_mcp.mcp.arguments import INSTANT, WINDOW, WINDOW_TEXT, Source, described
from supervisor_mcp.mcp.operation_tool import OperationTool
from supervisor_mcp.operations import aggregates
from supervisor_mcp.operations.aggregates import Aggregate, AggregateQuery, Aggregates
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context

NARROW = "Name one kind (list_kinds names them), narrow with source, or leave out group_by."


def tools(context: Context, clock: Clock) -> list[OperationTool]:
    """query_agg."""

    async def query_agg(
        *,
        window: Annotated[str, described(WINDOW_TEXT, WINDOW)],
        kind: Annotated[
            str | None,
            described(
                "Exact name of a metric (http_requests_total) or of a kind of fact (Fact:Sale)."
                " Left out: every kind, in one answer."
            ),
        ] = None,
        source: Source = None,
        group_by: Annotated[
            str | None,
            described(
                "Adds groups: the same numbers for every source (source) or for every value of a"
                " label of the metric (label.region).",
                {"type": "string", "pattern": r"^(source|label\.[A-Za-z_][A-Za-z0-9_.]{0,99})$"},
            ),
        ] = None,
        as_of: Annotated[
            str | float | None,
            described(
                "What was answered at this instant, from kept snapshots: RFC 3339 with its offset"
                " (2026-03-01T12:00:00Z) or epoch seconds. Not together with source or group_by.",
                INSTANT,
            ),
        ] = None,
    ) -> bytes:
        """Count, sum, average, extremes and percentiles of a kind over a time window.

        Use it for "how many sales this week", "is latency worse than last week", "which source
        fails most", and as the numbers of a report. It is exact and cheap: prefer it to reading
        facts or series and adding them up. list_kinds gives the names of kinds.

        Example: {"kind": "Fact:Sale", "window": "7d", "group_by": "source"}

        The answer is about [from, to]. count is of samples or events, all other numbers are of
        their values in the unit of the kind, null where there are none. rate_per_second is the
        growth of a counter, else observations a second. previous holds the same numbers of the
        window before, change the relative difference to them (0.1 is 10 % more). groups are in
        order of count. Percentiles have the relative error error_bound, all else is exact. It
        includes everything that was acknowledged before the call; freshness.late_pending counts
        late samples among it that are read the slow way until they are rolled up. Without kind the
        answer is {window, kinds: [...], computed_at}.
        """
        query = AggregateQuery.read(
            kind=kind, window=window, source=source, group_by=group_by, as_of=as_of
        )
        return bounded(await aggregates.query_agg(context, query, clock()), NARROW)

    return [OperationTool.reading(query_agg, "Aggregate a kind", Aggregate, Aggregates)]
