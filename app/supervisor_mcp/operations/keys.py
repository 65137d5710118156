"""Keys: what clients prove with who they are."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from supervisor_mcp.credentials import keys
from supervisor_mcp.credentials.keys import Key
from supervisor_mcp.errors import Problem
from supervisor_mcp.identity import Scope
from supervisor_mcp.operations import text_rules
from supervisor_mcp.operations.arguments import Cursor, Limit, Timestamp
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.outcome import known_outcome
from supervisor_mcp.operations.query import Query

KeyId = Annotated[str, Meta(description="Id of the key: the 8 characters after sk_.")]
CREATED_AGAIN = (
    "Send the request again: with the same Idempotency-Key, it creates no second key. Without one,"
    " list_keys (GET /access/keys) shows whether the key exists."
)
ROTATED_AGAIN = (
    "Send the request again: a key that was rotated already names the one that replaces it."
)


class KeyRequest(Query, frozen=True):
    """A key that is to be created."""

    owner: Annotated[str, Meta(description="Who gets the key.", extra_json_schema=text_rules.OWNER)]
    scopes: Annotated[
        tuple[Scope, ...],
        Meta(
            description="What it may do; admin includes the others.",
            extra_json_schema={"minItems": 1},
        ),
    ]
    sources: Annotated[
        tuple[Annotated[str, Meta(extra_json_schema=text_rules.SOURCE_NAME)], ...] | None,
        Meta(
            description="The only sources that it may ingest as; any if left out.",
            extra_json_schema={"minItems": 1, "maxItems": 100},
        ),
    ] = None
    namespace: Annotated[
        str | None,
        Meta(description="Yours if left out.", extra_json_schema=text_rules.NAMESPACE),
    ] = None
    expires_at: Annotated[
        Timestamp | None, Meta(description="When it ends; never if left out.")
    ] = None
    idempotency_key: Annotated[
        str | None,
        Meta(
            description="Your name for this request: repeated, it creates no second key.",
            extra_json_schema=text_rules.IDEMPOTENCY_KEY,
        ),
    ] = None


class KeyListQuery(Query, frozen=True):
    """Which keys to list."""

    owner: Annotated[str | None, Meta(description="Only of this owner.")] = None
    active: Annotated[
        bool | None, Meta(description="false for those that are expired or revoked.")
    ] = None
    limit: Limit = None
    cursor: Cursor = None


class Revocation(Query, frozen=True):
    """Which key to revoke, and why."""

    id: KeyId
    reason: Annotated[
        str | None,
        Meta(description="Why.", extra_json_schema={"minLength": 1, "maxLength": 1000}),
    ] = None


class Rotation(Query, frozen=True):
    """Which key to replace by a new one."""

    id: KeyId
    grace: Annotated[
        str | None,
        Meta(
            description="How long the old key stays valid: 30m, 24h; at most 7d, 0s if left out.",
            extra_json_schema=text_rules.DURATION,
        ),
    ] = None
    expires_at: Annotated[
        Timestamp | None, Meta(description="When the new key ends; as the old one if left out.")
    ] = None


class ListedKey(Struct):
    """A key, of which id is all that is stored in the clear."""

    id: str
    owner: str
    status: Literal["active", "expired", "revoked"]
    scopes: list[Scope]
    sources: list[str] | None
    namespace: str
    created_at: str
    created_by: str
    expires_at: str | None
    last_used_at: Annotated[str | None, Meta(description="Within a minute.")]
    revoked_at: Annotated[
        str | None,
        Meta(description="In the future for a key that was rotated and is still valid."),
    ]
    revoked_by: str | None
    reason: str | None
    rotated_from: Annotated[str | None, Meta(description="Key that it replaces.")]
    rotated_to: Annotated[str | None, Meta(description="Key that replaces it.")]


Shown = Annotated[str | None, Meta(description="The key itself; no other answer shows it again.")]


class CreatedKey(ListedKey):
    """The key as it is now; it is committed."""

    outcome: Literal["created", "unchanged"]
    hint: Annotated[str | None, Meta(description="What to do if the key was lost.")]
    key: Shown


class RotatedKey(ListedKey):
    """The new key; it is committed."""

    outcome: Literal["created"]
    rotated_from_ends_at: Annotated[
        str, Meta(description="When the old key is not valid any more.")
    ]
    key: Shown


class RevokedKey(ListedKey):
    """The key as it is now; it is committed."""

    outcome: Literal["revoked", "unchanged"]


class KeyPage(Struct):
    """Keys, the newest first; next_cursor is null on the last page."""

    items: list[ListedKey]
    next_cursor: str | None


async def create_key(context: Context, request: KeyRequest, now: datetime) -> bytes:
    """A `CreatedKey` as JSON; it is committed. Raises `Problem`."""
    key = keys.make()
    arguments = {**request.arguments(), **_stored(context, key), "now": now}
    with known_outcome("the key is created", CREATED_AGAIN):
        return _with_key(await context.database.write_json("create_key", arguments), key)


async def list_keys(context: Context, query: KeyListQuery, now: datetime) -> bytes:
    """A `KeyPage` as JSON. Raises `Problem`."""
    return await context.reads.read_json("list_keys", {**query.arguments(), "now": now})


async def revoke_key(context: Context, revocation: Revocation, now: datetime) -> bytes:
    """A `RevokedKey` as JSON; it is committed. Raises `Problem`."""
    arguments = {**revocation.arguments(), "now": now}
    with known_outcome("the key is revoked"):
        return await context.database.write_json("revoke_key", arguments)


async def rotate_key(context: Context, rotation: Rotation, now: datetime) -> bytes:
    """A `RotatedKey` as JSON; it is committed. Raises `Problem`."""
    key = keys.make()
    arguments = {**rotation.arguments(), **_stored(context, key), "now": now}
    with known_outcome("the key is rotated", ROTATED_AGAIN):
        return _with_key(await context.database.write_json("rotate_key", arguments), key)


def _stored(context: Context, key: Key) -> dict[str, Any]:
    """What the database is given of a key. Raises `Problem` where it would be no use to anybody."""
    if context.key_secret is None:
        raise Problem(
            "key_secret_set",
            "this service has no secret to store keys with",
            hint="Set SUPERVISOR_KEY_SECRET or SUPERVISOR_KEY_SECRET_FILE, to the same secret for"
            " every process on this database, and start the service again.",
        )
    return {"key_id": key.id, "digest": key.digest(context.key_secret)}


def _with_key(answer: bytes, key: Key) -> bytes:
    """The answer with the key, if it is about this one: the database has never seen it."""
    members = msgspec.json.decode(answer)
    return msgspec.json.encode({**members, "key": key.text if members["id"] == key.id else None})
