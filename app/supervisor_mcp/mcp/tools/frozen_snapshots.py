"""Tools of frozen snapshots."""

from __future__ import annotations

from supervisor_mcp.mcp.answers import bounded
from supervisor_mcp.mcp.tool import STORING, OperationTool
from supervisor_mcp.mcp.tools.alerts import SHORTEN, Page
from supervisor_mcp.operations import frozen_snapshots
from supervisor_mcp.operations.aggregates import Aggregates
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.frozen_snapshots import (
    Snapshot,
    SnapshotListQuery,
    SnapshotQuery,
    SnapshotRequest,
)

WHOLE = "Read it over REST: GET /query/snapshots/{name}."


def tools(context: Context, clock: Clock) -> list[OperationTool]:
    """create_snapshot, get_snapshot, list_snapshots."""

    async def create_snapshot(request: SnapshotRequest) -> bytes:
        """Freeze the statistics of all kinds over a window under a name, to cite them later.

        The answer has the SHA-256 of the content that get_snapshot gives.
        """
        return await frozen_snapshots.create_snapshot(context, request, clock())

    async def get_snapshot(query: SnapshotQuery) -> bytes:
        """The content of a snapshot.

        The answer is that of query_agg without kind when it was frozen, always the same bytes.
        """
        return bounded(await frozen_snapshots.get_snapshot(context, query), WHOLE)

    async def list_snapshots(query: SnapshotListQuery) -> bytes:
        """The snapshots, without their content.

        The answer has the newest first; sha256 is the hash of the content.
        """
        return bounded(await frozen_snapshots.list_snapshots(context, query), SHORTEN)

    return [
        OperationTool.asking(create_snapshot, SnapshotRequest, Snapshot, hints=STORING),
        OperationTool.asking(get_snapshot, SnapshotQuery, Aggregates),
        OperationTool.asking(list_snapshots, SnapshotListQuery, Page),
    ]
