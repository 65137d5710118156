"""Prompts: tasks that people start by name.

Without `from __future__ import annotations`: the library compares the type of an argument with
`str` itself, and otherwise asks for JSON.
"""

import re

import mcp_types
from fastmcp import FastMCP
from fastmcp.prompts.base import PromptResult
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext

from supervisor_mcp.errors import Problem
from supervisor_mcp.mcp.problems import current_request_id, protocol_error
from supervisor_mcp.operations import text_rules
from supervisor_mcp.operations.arguments import Window
from supervisor_mcp.operations.query import Query
from supervisor_mcp.operations.servers import ServerName

REPORT = "weekly_kpi_report"
DIAGNOSIS = "diagnose_server"


class Report(Query, frozen=True):
    """The arguments of weekly_kpi_report."""

    kind: str = ""
    window: Window = "7d"


class Diagnosis(Query, frozen=True):
    """The arguments of diagnose_server."""

    name: ServerName
    window: Window = "7d"


ARGUMENTS: dict[str, type[Query]] = {REPORT: Report, DIAGNOSIS: Diagnosis}
# The rules of arguments that no operation checks here: a prompt is only text.
RULES = {
    "name": (text_rules.SERVER_NAME, "Send the exact name of a server, as list_servers has it."),
    "window": (text_rules.WINDOW, "Send a number of hours or days, such as 24h, 7d or 30d."),
}


def check(query: type[Query], sent: dict[str, str]) -> None:
    """Refuse what a prompt cannot be about. Raises `Problem`."""
    query.read(sent)
    for name, (rule, hint) in RULES.items():
        value = sent.get(name)
        if value is None:
            continue
        if len(value) > rule["maxLength"] or re.fullmatch(rule["pattern"], value) is None:
            raise Problem(
                "parameter_well_formed",
                f'invalid {name} "{value[:100]}"',
                hint=hint,
                params={"field": name},
            )


class CheckedArguments(Middleware):
    """Refuses arguments of prompts by the rules for parameters; the library calls them internal."""

    async def on_get_prompt(
        self,
        context: MiddlewareContext[mcp_types.GetPromptRequestParams],
        call_next: CallNext[mcp_types.GetPromptRequestParams, PromptResult],
    ) -> PromptResult:
        """Answer with the problem of the first bad argument."""
        query = ARGUMENTS.get(context.message.name)
        if query is not None:
            try:
                check(query, context.message.arguments or {})
            except Problem as problem:
                raise protocol_error(problem, current_request_id()) from problem
        return await call_next(context)


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
            window: How far back, as a number with h or d, such as 24h; 7d is the week.
        """
        scope = f'the kind "{kind}"' if kind else "every kind"
        steps = _report_on_one(kind, window) if kind else _report_on_all(window)
        return f"""\
Write a report on {scope} over the last {window}, for people who decide, not for engineers.

{steps}

Then write: a headline of one sentence; a table with kind, this window, the window before and the
change in per cent; one paragraph for each change with its likely cause and what you base that on;
what to watch next. Give units. Say where a number is missing or null.
Do not compute sums or averages from facts or points yourself, and state nothing that the answers do
not show.
"""

    @server.prompt(name=DIAGNOSIS, title="Diagnose a server")
    def diagnose_server(name: str, window: str = "7d") -> str:
        """Find out what is wrong with an MCP server, since when, and what changed before.

        Args:
            name: Exact name of the server, such as io.github.acme/search.
            window: How far back to look, as a number with h or d, such as 24h or 7d.
        """
        return f"""\
Find out what is wrong with the MCP server "{name}", since when, and why. Look back {window}.

1. Call get_server with {{"name": "{name}"}}. Note its source, its version, when the versions in
   versions began, and its health. If it is unknown, call list_servers with a part of the name as q.
2. Call get_health with {{"name": "{name}"}}: compare the signals keepalive, probe, traffic and
   report. Where they disagree, say which of them sees what: a server whose probe is up while its
   callers see errors fails in its tools, not in its network.
3. Call query_sla with {{"name": "{name}", "window": "{window}"}}: uptime, coverage, outages, and
   the error budget that is left. Little coverage means that nobody looked, not that it was up.
4. If it has a source, call list_kinds, and query_agg with that source and "window": "{window}" for
   the kinds of its calls, such as mcp.server.operation.duration; then with "group_by" a label such
   as "label.error.type" or "label.mcp.method.name" to see which calls fail or are slow.
5. Call query_facts with {{"subject": "{name}", "limit": 20}} for Fact:ServerVersionChanged and
   Fact:ToolsChanged. Compare their times with the beginning of the trouble. If a version began
   then, call query_metrics with "split_by": "version" for the kind that got worse, and get_server
   with an as_of before the change to see what was different.

Then write: what is wrong, in one sentence; since when; the likely cause and what you base that on;
what to do next, and what to look at to know that it helped. Say where data is missing. State
nothing that the answers do not show.
"""


def _report_on_one(kind: str, window: str) -> str:
    """The questions of a report on one kind."""
    steps = f"""\
1. Call query_agg with {{"kind": "{kind}", "window": "{window}"}}. change.count and change.sum are
   relative to the window before (0.1 is 10 % more).
2. Call it again with "group_by": "source" to see who caused the changes, and query_metrics with
   {{"name": "{kind}", "step": "1d"}} and a range of the same length to see when they happened."""
    if not kind.startswith("Fact:"):
        return steps
    return f"""\
{steps}
3. If a change is not explained yet, call query_facts with {{"kind": "{kind}", "limit": 20}} and
   read the payloads."""


def _report_on_all(window: str) -> str:
    """The questions of a report on the KPIs, and on the kinds that changed most."""
    return f"""\
1. Call query_kpis with {{"window": "{window}"}}: for each KPI report value, previous, target and
   status, and the source in contributions that moved it most. If there are none, say so.
2. Call query_changes with {{"window": "{window}"}}: over all kinds, what is furthest from usual. A
   score between -3 and 3 is usual; usual.windows says how many windows that rests on. Choose the
   three to five items with the largest scores, up or down.
3. For each of them its contributions name the sources and labels; call query_metrics with
   "step": "1d" and a range of the same length to see when it happened.
4. For a fact kind whose change is not explained yet, call query_facts with "limit": 20 and read the
   payloads."""
