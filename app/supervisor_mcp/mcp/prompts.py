"""Prompts: tasks that people start by name.

Without `from __future__ import annotations`: the library compares the type of an argument with
`str` itself, and otherwise asks for JSON.
"""

from fastmcp import FastMCP

REPORT = "weekly_kpi_report"


def register(server: FastMCP) -> None:
    """Add the prompts."""

    @server.prompt(name=REPORT, title="Weekly KPI report")
    def weekly_kpi_report(
        kind: str = "",
        window: str = "7d",
    ) -> str:
        """Report on a week: what happened, what changed against the week before, and why.

        Args:
            kind: Exact name of the kind to report on; all kinds where it is empty.
            window: How far back, in hours or days; 7d is the week.
        """
        scope = f'the kind "{kind}"' if kind else "every kind"
        first = (
            f'Call query_agg with {{"kind": "{kind}", "window": "{window}"}}.'
            if kind
            else f'Call query_agg with {{"window": "{window}"}}: it answers for every kind at once.'
            " If it says that this is too long, call list_kinds and then query_agg for the kinds"
            " that matter most."
        )
        return f"""\
Write a report on {scope} over the last {window}, for people who decide, not for engineers.

1. {first}
2. Choose the three to five kinds with the largest change, up or down; change.count and change.sum
   are relative to the window before (0.1 is 10 % more). Leave out kinds whose count is small in
   both windows.
3. For each of them call query_agg with "group_by": "source" to see who caused the change, and
   query_metrics with "step": "1d" and a range of the same length to see when it happened.
4. For a fact kind whose change is not explained yet, call query_facts with "limit": 20 and read the
   payloads.

Then write: a headline of one sentence; a table with kind, this window, the window before and the
change in per cent; one paragraph for each change with its likely cause and what you base that on;
what to watch next. Give units. Say where a number is missing or null.
Do not compute sums or averages from facts or points yourself, and state nothing that the answers do
not show.
"""
