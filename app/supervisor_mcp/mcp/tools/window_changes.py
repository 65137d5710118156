"""The tool that says what changed."""

from __future__ import annotations

from supervisor_mcp.mcp.answers import bounded
from supervisor_mcp.mcp.tool import OperationTool
from supervisor_mcp.operations import window_changes
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.window_changes import ChangesQuery, WindowChanges


def tools(context: Context, clock: Clock) -> list[OperationTool]:
    """query_changes."""

    async def query_changes(query: ChangesQuery) -> bytes:
        """What changed most in a window, over all kinds, sources and labels.

        The answer is ranked by score: units of usual variation from the median of earlier windows.
        Below 3 is usual.
        """
        answer = await window_changes.query_changes(context, query, clock())
        return bounded(answer, "Send a kind or a smaller limit.")

    return [OperationTool.asking(query_changes, ChangesQuery, WindowChanges)]
