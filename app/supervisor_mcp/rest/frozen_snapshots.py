"""GET and POST /query/snapshots, and GET /query/snapshots/{name}."""

from __future__ import annotations

import hashlib

import falcon
from falcon.asgi import Request, Response

from supervisor_mcp.operations.aggregates import Aggregates
from supervisor_mcp.operations.frozen_snapshots import (
    Snapshot,
    SnapshotListQuery,
    SnapshotPage,
    SnapshotQuery,
    SnapshotRequest,
    create_snapshot,
    get_snapshot,
    list_snapshots,
)
from supervisor_mcp.rest.operation import JSON, Operation, ReadResource, Resource, send_json

SNAPSHOTS = "/query/snapshots"


class SnapshotsResource(ReadResource):
    """The snapshots, the newest first."""

    path = SNAPSHOTS
    operation = Operation(
        "list_snapshots", "List snapshots", SnapshotListQuery, {JSON: SnapshotPage}
    )

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with a page."""
        send_json(resp, await list_snapshots(self._context, self.operation.read(req)))


class CreateSnapshotResource(Resource):
    """Freezes a snapshot."""

    path = SNAPSHOTS
    operation = Operation(
        "create_snapshot",
        "Freeze all kinds over a window",
        SnapshotRequest,
        {JSON: Snapshot},
        method="post",
        problems=(409, 413, 415, 429),
    )

    async def on_post(self, req: Request, resp: Response) -> None:
        """Freeze the snapshot."""
        request = await self.operation.read_body(req)
        send_json(resp, await create_snapshot(self._context, request, self._clock()))


class SnapshotResource(ReadResource):
    """A snapshot: always the same bytes, of which the ETag is the hash."""

    path = f"{SNAPSHOTS}/{{name}}"
    operation = Operation(
        "get_snapshot",
        "The content of a snapshot",
        SnapshotQuery,
        {JSON: Aggregates},
        problems=(404,),
        headers={"ETag": "SHA-256 of the content; send it as If-None-Match to get a 304."},
    )

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with the bytes that were hashed, or send 304 when the client has them."""
        content = await get_snapshot(self._context, self.operation.read(req))
        # Of what is sent, so that it cannot be the hash of anything else.
        tag = hashlib.sha256(content).hexdigest()
        # Weak, because the same content may also be sent compressed.
        resp.set_header("ETag", f'W/"{tag}"')
        resp.set_header("Cache-Control", "no-cache")
        sent = req.if_none_match
        if sent and any(known == "*" or str(known) == tag for known in sent):
            resp.status = falcon.HTTP_304
        else:
            resp.data = content
