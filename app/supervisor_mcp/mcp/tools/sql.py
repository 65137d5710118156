"""Tools that ask in SQL."""

from __future__ import annotations

from supervisor_mcp.mcp.answers import bounded
from supervisor_mcp.mcp.tool import READING, OperationTool
from supervisor_mcp.operations import sql
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.sql import Rows, SqlQuery

NARROW = "Select fewer columns, or send a smaller limit."


def tools(context: Context, _clock: Clock) -> list[OperationTool]:
    """query_sql."""

    async def query_sql(query: SqlQuery) -> bytes:
        """Ask in SQL (PostgreSQL) what no other tool answers. Read supervisor://schema first.

        The answer has columns and rows; errors have the position in the statement.
        """
        return bounded(await sql.query_sql(context, query), NARROW)

    return [OperationTool.asking(query_sql, SqlQuery, Rows, hints=READING)]
