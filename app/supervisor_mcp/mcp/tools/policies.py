"""Tools of the database administrator."""

from __future__ import annotations

from supervisor_mcp.mcp.answers import bounded
from supervisor_mcp.mcp.tool import REMOVING, REPLACING, STORING, OperationTool
from supervisor_mcp.mcp.tools.alerts import SHORTEN
from supervisor_mcp.operations import diagnosis, pins, policies
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.diagnosis import Diagnosis, DoctorQuery
from supervisor_mcp.operations.pins import Pin, PinList, PinQuery, PinRequest, Unpin
from supervisor_mcp.operations.policies import (
    ChangedPolicy,
    PolicyChange,
    PolicyList,
    PolicyQuery,
    RetentionPlan,
    RetentionQuery,
)


def tools(context: Context, clock: Clock) -> list[OperationTool]:
    """list_policies, set_policy, plan_retention, pin_window, list_pins, unpin_window, doctor."""

    async def list_policies(query: PolicyQuery) -> bytes:
        """Retention, columnstore, refresh and quotas.

        The answer has each with its value and the one that the release ships.
        """
        return bounded(await policies.list_policies(context, query), SHORTEN)

    async def set_policy(change: PolicyChange) -> bytes:
        """Set how long rows are kept, or another policy. Call plan_retention before.

        The answer says whether anything changed.
        """
        return await policies.set_policy(context, change)

    async def plan_retention(query: RetentionQuery) -> bytes:
        """What a retention would drop, and what does not allow it. Changes nothing.

        The answer has chunks, rows and bytes.
        """
        return bounded(await policies.plan_retention(context, query, clock()), SHORTEN)

    async def pin_window(request: PinRequest) -> bytes:
        """Keep the raw rows of an incident past retention.

        The answer has the id for unpin_window.
        """
        return await pins.pin_window(context, request, clock())

    async def list_pins(query: PinQuery) -> bytes:
        """What is pinned.

        The answer has the newest first.
        """
        return bounded(await pins.list_pins(context, query), SHORTEN)

    async def unpin_window(unpin: Unpin) -> bytes:
        """Remove a pin: retention drops the rows.

        The answer has the pin that was.
        """
        return await pins.unpin_window(context, unpin, clock())

    async def doctor(_query: DoctorQuery) -> bytes:
        """What is wrong with the database: jobs, versions, backlog, conflicts, quotas.

        The answer has for each finding the statement that repairs it.
        """
        return bounded(await diagnosis.doctor(context, clock()), SHORTEN)

    return [
        OperationTool.asking(list_policies, PolicyQuery, PolicyList),
        OperationTool.asking(set_policy, PolicyChange, ChangedPolicy, hints=REPLACING),
        OperationTool.asking(plan_retention, RetentionQuery, RetentionPlan),
        OperationTool.asking(pin_window, PinRequest, Pin, hints=STORING),
        OperationTool.asking(list_pins, PinQuery, PinList),
        OperationTool.asking(unpin_window, Unpin, Pin, hints=REMOVING),
        OperationTool.asking(doctor, DoctorQuery, Diagnosis),
    ]
