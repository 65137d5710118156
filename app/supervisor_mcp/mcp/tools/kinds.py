"""Tools that read the catalogue."""

from __future__ import annotations

from supervisor_mcp.mcp.tool import OperationTool
from supervisor_mcp.operations import kinds
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.kinds import KindPage, KindQuery


def tools(context: Context, _clock: Clock) -> list[OperationTool]:
    """list_kinds."""

    async def list_kinds(query: KindQuery) -> bytes:
        """The names of all metrics and fact kinds, with their types.

        Call it first when you do not know the exact name of a kind: the other tools need it.

        The answer is ordered by name; sources and series count who sends the kind, and in how
        many sets of labels.
        """
        return await kinds.list_kinds(context, query)

    return [OperationTool.asking(list_kinds, KindQuery, KindPage)]
