"""Tools of KPIs."""

from __future__ import annotations

from supervisor_mcp.mcp.answers import bounded
from supervisor_mcp.mcp.tool import REMOVING, OperationTool
from supervisor_mcp.operations import kpis
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.kpis import (
    DOCUMENT,
    DeletedKpi,
    Kpi,
    KpiDefinition,
    KpiDeletion,
    KpiListQuery,
    KpiPage,
    KpisQuery,
    MeasuredKpis,
)
from supervisor_mcp.operations.versions import Defined


def tools(context: Context, clock: Clock) -> list[OperationTool]:
    """query_kpis, list_kpis, define_kpi, delete_kpi."""

    async def query_kpis(query: KpisQuery) -> bytes:
        """KPIs over a window, the window before, their targets, and which source moved them.

        The answer has status met, missed, no_target or no_data.
        """
        return bounded(await kpis.query_kpis(context, query, clock()), "Send a name.")

    async def list_kpis(query: KpiListQuery) -> bytes:
        """What KPIs are defined. The answer has their documents."""
        return bounded(await kpis.list_kpis(context, query, clock()), "Send a smaller limit.")

    async def define_kpi(query: KpiDefinition, document: bytes) -> bytes:
        """Define a KPI, or change it.

        Example: {"name": "sale_value", "author": "ann",
        "numerator": {"kind": "Fact:Sale", "statistic": "sum"}}

        The answer says what has changed.
        """
        return await kpis.define_kpi(context, query, document, clock())

    async def delete_kpi(query: KpiDeletion) -> bytes:
        """Delete a KPI. The answer is who did and when; its versions stay."""
        return await kpis.delete_kpi(context, query, clock())

    return [
        OperationTool.asking(query_kpis, KpisQuery, MeasuredKpis),
        OperationTool.asking(list_kpis, KpiListQuery, KpiPage, Kpi),
        OperationTool.taking(define_kpi, KpiDefinition, DOCUMENT, Defined),
        OperationTool.asking(delete_kpi, KpiDeletion, DeletedKpi, hints=REMOVING),
    ]
