"""Tools, one module per noun; each gives its tools over a context and a clock."""

from __future__ import annotations

from supervisor_mcp.mcp.tool import OperationTool
from supervisor_mcp.mcp.tools import (
    aggregates,
    alert_rules,
    alerts,
    audit,
    backtests,
    facts,
    frozen_snapshots,
    keys,
    kinds,
    kpis,
    metrics,
    policies,
    restatements,
    server_health,
    servers,
    sla,
    sql,
    subscriptions,
    window_changes,
)
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context

NOUNS = (
    metrics,
    facts,
    aggregates,
    frozen_snapshots,
    restatements,
    kinds,
    kpis,
    window_changes,
    sql,
    servers,
    server_health,
    sla,
    alert_rules,
    alerts,
    backtests,
    subscriptions,
    keys,
    audit,
    policies,
)


def all_tools(context: Context, clock: Clock) -> list[OperationTool]:
    """Every tool; a noun is registered by its module standing in `NOUNS`."""
    return [tool for noun in NOUNS for tool in noun.tools(context, clock)]
