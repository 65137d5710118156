"""Keys, as the database knows them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec
from msgspec import Struct

from supervisor_mcp.authentication.headers import refused
from supervisor_mcp.authentication.key_uses import KeyUses
from supervisor_mcp.credentials import keys
from supervisor_mcp.credentials.keys import PREFIX
from supervisor_mcp.db import Database
from supervisor_mcp.errors import Problem, unavailable
from supervisor_mcp.identity import Identity, Scope
from supervisor_mcp.operations.reads import Reads

logger = logging.getLogger(__name__)

# How many are verified at once; the other connections of the pool are for requests. Keys that were
# good the last time do not wait for those that may be nobody's.
PROVEN_AT_ONCE: Final = 2
OTHERS_AT_ONCE: Final = 1
MOST_PROVEN: Final = 4096


class _Known(Struct):
    """What `api.authenticate_key` answers."""

    status: str
    id: str = ""
    owner: str = ""
    scopes: list[Scope] = []
    sources: list[str] | None = None
    namespace: str = ""
    ends_at: datetime | None = None


class Keys:
    """Verifies keys, and notes that they were used."""

    def __init__(
        self, database: Database, secret: bytes | None, reads: Reads | None = None
    ) -> None:
        self._reads = reads or database
        self._secret = secret
        self._turns = asyncio.Semaphore(OTHERS_AT_ONCE)
        self._turns_of_proven = asyncio.Semaphore(PROVEN_AT_ONCE)
        # Their digests; the one that was verified last is at the end.
        self._proven: dict[bytes, None] = {}
        self._uses = KeyUses(database)

    def is_key(self, text: str) -> bool:
        """Whether a text is meant as a key."""
        return text.startswith(PREFIX)

    async def verify(self, text: str) -> tuple[Identity, float]:
        """Whose key it is, and for how many seconds at most. Raises `Problem`."""
        key = keys.parse(text)
        if key is None or self._secret is None:
            raise refused("the key is not valid")
        digest = key.digest(self._secret)
        async with self._turns_of_proven if digest in self._proven else self._turns:
            now = datetime.now(UTC)
            known = await self._ask({"key_id": key.id, "digest": digest, "now": now})
        self._proven.pop(digest, None)
        if known.status != "active":
            # Only the log says whether it was valid once.
            logger.info("key %s was refused: it is %s", key.id, known.status)
            raise refused("the key is not valid")
        self._prove(digest)
        self._uses.note(known.id, now)
        ends_in = float("inf") if known.ends_at is None else (known.ends_at - now).total_seconds()
        sources = None if known.sources is None else tuple(known.sources)
        return Identity(known.owner, frozenset(known.scopes), sources, known.namespace), ends_in

    def _prove(self, digest: bytes) -> None:
        if len(self._proven) >= MOST_PROVEN:
            del self._proven[next(iter(self._proven))]
        self._proven[digest] = None

    async def _ask(self, arguments: Mapping[str, object]) -> _Known:
        try:
            answer = await self._reads.read_json("authenticate_key", arguments)
        except Problem as problem:
            # It is no long question that a client could shorten.
            raise unavailable() if problem.slug == "too_slow" else problem from None
        return msgspec.json.decode(answer, type=_Known)

    async def stop(self) -> None:
        """Record what was noted."""
        await self._uses.stop()
