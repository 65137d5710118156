"""The tool about restatements."""

from __future__ import annotations

from supervisor_mcp.mcp.answers import bounded
from supervisor_mcp.mcp.tool import OperationTool
from supervisor_mcp.mcp.tools.alerts import SHORTEN, Page
from supervisor_mcp.operations import restatements
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.restatements import RestatementQuery


def tools(context: Context, _clock: Clock) -> list[OperationTool]:
    """list_restatements."""

    async def list_restatements(query: RestatementQuery) -> bytes:
        """Hours whose figures late samples have changed, for "why is last week's number different".

        The answer has the newest first; before and after are count, sum, min and max.
        """
        return bounded(await restatements.list_restatements(context, query), SHORTEN)

    return [OperationTool.asking(list_restatements, RestatementQuery, Page)]
