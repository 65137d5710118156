"""The tool about the audit."""

from __future__ import annotations

from supervisor_mcp.mcp.answers import bounded
from supervisor_mcp.mcp.tool import OperationTool
from supervisor_mcp.mcp.tools.alerts import SHORTEN, Page
from supervisor_mcp.operations import audit
from supervisor_mcp.operations.audit import AuditQuery
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context


def tools(context: Context, _clock: Clock) -> list[OperationTool]:
    """list_audit."""

    async def list_audit(query: AuditQuery) -> bytes:
        """Who changed rules, silences, maintenance, servers, subscriptions, keys and quotas.

        The answer has the newest first; changes has old and new by member.
        """
        return bounded(await audit.list_audit(context, query), SHORTEN)

    return [OperationTool.asking(list_audit, AuditQuery, Page)]
