"""Whose credentials they are: the one answer for REST and MCP."""

from __future__ import annotations

import asyncio
import time
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from supervisor_mcp import identity
from supervisor_mcp.authentication.headers import refused
from supervisor_mcp.authentication.keys import Keys
from supervisor_mcp.authentication.tokens import Tokens
from supervisor_mcp.authentication.verified import Verified
from supervisor_mcp.config import Settings
from supervisor_mcp.identity import Identity
from supervisor_mcp.operations.context import Context

# A key that is revoked is refused everywhere within a second.
KEY_SECONDS: Final = 0.5
TOKEN_SECONDS: Final = 30.0

BOOTSTRAP: Final = Identity("bootstrap", frozenset({"admin"}))


class Authenticator:
    """Verifies keys and tokens; what comes together with the same credentials is verified once."""

    def __init__(self, keys: Keys, tokens: Tokens | None, admin_key: str | None) -> None:
        self._keys = keys
        self._tokens = tokens
        self._admin = None if admin_key is None else sha256(admin_key.encode()).digest()
        self._verified = Verified()
        self._verifying: dict[bytes, asyncio.Task[Identity]] = {}

    def recall(self, sent: bytes) -> Identity | None:
        """Whose key or token it is, if it was verified a moment ago."""
        return self._verified.find(sha256(sent).digest(), self._generation())

    async def identify(self, sent: bytes) -> Identity:
        """Whose key or token it is. Raises `Problem`, also while that cannot be said."""
        known = self.recall(sent)
        if known is not None:
            return known
        digest = sha256(sent).digest()
        if self._admin is not None and compare_digest(self._admin, digest):
            return BOOTSTRAP
        if digest not in self._verifying:
            verifying = self._verify(digest, sent)
            self._begin(digest, asyncio.create_task(verifying, context=identity.of_service()))
        # A client that leaves must not end it for the others. By no name: an error has this frame,
        # which must not have the error by its task.
        return await asyncio.shield(self._verifying[digest])

    async def stop(self) -> None:
        """Record what was noted of keys."""
        await self._keys.stop()

    def _generation(self) -> int:
        return 0 if self._tokens is None else self._tokens.generation

    def _begin(self, digest: bytes, task: asyncio.Task[Identity]) -> None:
        task.add_done_callback(lambda done: self._forget(digest, done))
        self._verifying[digest] = task

    def _forget(self, digest: bytes, done: asyncio.Task[Identity]) -> None:
        del self._verifying[digest]
        if not done.cancelled():
            # The callers may have gone.
            done.exception()

    async def _verify(self, digest: bytes, sent: bytes) -> Identity:
        asked_at = time.monotonic()
        text = sent.decode("latin-1")
        if self._keys.is_key(text):
            found, ends_in = await self._keys.verify(text)
            until = asked_at + min(KEY_SECONDS, ends_in)
        elif self._tokens is not None:
            found, expires_at = await self._tokens.verify(text)
            until = asked_at + min(TOKEN_SECONDS, expires_at - time.time())
        else:
            raise refused("the credentials are not a key")
        self._verified.keep(digest, found, until, self._generation())
        return found


def build(settings: Settings, context: Context) -> Authenticator | None:
    """The authenticator that the settings describe; None where authentication is off."""
    if settings.authentication == "off":
        return None
    return Authenticator(
        Keys(context.database, context.key_secret, context.reads),
        Tokens.of(settings),
        settings.secret("admin_key"),
    )
