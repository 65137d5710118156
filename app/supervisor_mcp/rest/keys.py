"""GET and POST /access/keys, DELETE /access/keys/{id} and POST /access/keys/{id}/rotation."""

from __future__ import annotations

from falcon.asgi import Request, Response
from msgspec.structs import replace

from supervisor_mcp.operations.arguments import text
from supervisor_mcp.operations.keys import (
    CreatedKey,
    KeyListQuery,
    KeyPage,
    KeyRequest,
    Revocation,
    RevokedKey,
    RotatedKey,
    Rotation,
    create_key,
    list_keys,
    revoke_key,
    rotate_key,
)
from supervisor_mcp.rest.operation import JSON, Operation, ReadResource, Resource, send_json
from supervisor_mcp.rest.parameters import HEADERS

KEYS = "/access/keys"
KEY = "/access/keys/{id}"


class KeysResource(ReadResource):
    """The keys, the newest first."""

    path = KEYS
    operation = Operation("list_keys", "List keys", KeyListQuery, {JSON: KeyPage})

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with a page."""
        query = self.operation.read(req)
        send_json(resp, await list_keys(self._context, query, self._clock()))


class CreateKeyResource(Resource):
    """Creates a key."""

    path = KEYS
    operation = Operation(
        "create_key",
        "Create a key",
        KeyRequest,
        {JSON: CreatedKey},
        method="post",
        problems=(403, 409, 413, 415, 429, 501),
    )

    async def on_post(self, req: Request, resp: Response) -> None:
        """Create the key, and show it."""
        request = await self.operation.read_body(req)
        again = req.get_header(HEADERS["idempotency_key"])
        if again is not None:
            request = replace(request, idempotency_key=text(HEADERS["idempotency_key"], again))
        _send_key(resp, await create_key(self._context, request, self._clock()))


class RevokeKeyResource(Resource):
    """Revokes a key."""

    path = KEY
    operation = Operation(
        "revoke_key",
        "Revoke a key, for good",
        Revocation,
        {JSON: RevokedKey},
        method="delete",
        problems=(404,),
    )

    async def on_delete(self, req: Request, resp: Response) -> None:
        """Revoke the key."""
        revocation = self.operation.read(req)
        send_json(resp, await revoke_key(self._context, revocation, self._clock()))


class RotateKeyResource(Resource):
    """Replaces a key by a new one."""

    path = f"{KEY}/rotation"
    operation = Operation(
        "rotate_key",
        "Replace a key by a new one",
        Rotation,
        {JSON: RotatedKey},
        method="post",
        problems=(404, 409, 413, 415, 429, 501),
    )

    async def on_post(self, req: Request, resp: Response) -> None:
        """Rotate the key, and show the new one."""
        rotation = await self.operation.read_body(req)
        _send_key(resp, await rotate_key(self._context, rotation, self._clock()))


def _send_key(resp: Response, answer: bytes) -> None:
    """Answer with a key, which nobody on the way may keep."""
    resp.set_header("Cache-Control", "no-store")
    send_json(resp, answer)
