"""Tools, one module per noun; each gives its tools over a context and a clock."""

from __future__ import annotations

from app.mcp.operation_tool import OperationTool
from app.mcp.tools import aggregates, facts, kinds, metrics
from app.operations.clock import Clock
from app.operations.context import Context

NOUNS = (metrics, facts, aggregates, kinds)


def all_tools(context: Context, clock: Clock) -> list[OperationTool]:
    """Every tool; a noun is registered by its module standing in `NOUNS`."""
    return [tool for noun in NOUNS for tool in noun.tools(context, clock)]
