"""Tools of keys."""

from __future__ import annotations

from msgspec import Struct

from supervisor_mcp.mcp.answers import bounded
from supervisor_mcp.mcp.tool import REMOVING, STORING, OperationTool
from supervisor_mcp.mcp.tools.alerts import SHORTEN, Page
from supervisor_mcp.operations import keys
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.keys import KeyListQuery, KeyRequest, Revocation, Rotation


class ShownKey(Struct):
    """A key that is shown, and its id."""

    id: str
    key: str | None


class EndedKey(Struct):
    """A key that is not valid any more."""

    id: str
    status: str


def tools(context: Context, clock: Clock) -> list[OperationTool]:
    """create_key, list_keys, revoke_key, rotate_key."""

    async def create_key(request: KeyRequest) -> bytes:
        """Create an API key.

        The answer alone has the key.
        """
        return await keys.create_key(context, request, clock())

    async def list_keys(query: KeyListQuery) -> bytes:
        """API keys, without what is secret.

        The answer has the newest first.
        """
        return bounded(await keys.list_keys(context, query, clock()), SHORTEN)

    async def revoke_key(revocation: Revocation) -> bytes:
        """Revoke an API key, for good.

        The answer has the key as list_keys does.
        """
        return await keys.revoke_key(context, revocation, clock())

    async def rotate_key(rotation: Rotation) -> bytes:
        """Replace an API key by a new one that may do the same.

        The answer alone has the new key.
        """
        return await keys.rotate_key(context, rotation, clock())

    return [
        OperationTool.asking(create_key, KeyRequest, ShownKey, hints=STORING),
        OperationTool.asking(list_keys, KeyListQuery, Page),
        OperationTool.asking(revoke_key, Revocation, EndedKey, hints=REMOVING),
        OperationTool.asking(rotate_key, Rotation, ShownKey, hints=STORING),
    ]
