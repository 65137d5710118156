"""Finished aggregates in Redis; a failure of Redis is a miss, never an error.

An answer that is found was computed after every ingest of its kind that was acknowledged before
the request came. `cache/store.py` says how a slow reader and an ingest do not cross.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Literal
from uuid import uuid4
from weakref import WeakValueDictionary

from supervisor_mcp.cache.connection import Connection, ConnectionFailure
from supervisor_mcp.cache.store import Key, Look, Store, StoreError

__all__ = ["EVERY_KIND", "Cache", "Key"]

logger = logging.getLogger(__name__)

EVERY_KIND = "*"
TIMEOUT_SECONDS = 0.5
POLL_SECONDS = 0.01
BUMP_RETRY_SECONDS = 0.2

Compute = Callable[[], Awaitable[bytes]]


class Cache:
    """One per process. `url` None means that there is no Redis: every answer is computed."""

    def __init__(self, url: str | None, *, ttl_seconds: int) -> None:
        self._connection = Connection(url, TIMEOUT_SECONDS) if url else None
        self._store = (
            Store(url, ttl_ms=ttl_seconds * 1000, timeout_seconds=TIMEOUT_SECONDS) if url else None
        )
        self._waiting: dict[Key, asyncio.Task[bytes]] = {}
        self._turns: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()
        # Kinds whose invalidation failed, with the number of the last failure.
        self._owed: dict[str, int] = {}
        self._failures = 0
        self._payer: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Drop the connections; pending invalidations are lost."""
        if self._payer is not None:
            self._payer.cancel()
        if self._connection is not None:
            self._connection.close()
        if self._store is not None:
            await self._store.close()

    async def state(self) -> Literal["ok", "degraded", "off"]:
        """`ok`, `degraded` when Redis fails or an invalidation is pending, `off` without Redis."""
        if self._store is None:
            return "off"
        try:
            await self._store.ping()
        except StoreError:
            return "degraded"
        return "degraded" if self._owed else "ok"

    async def answer(self, key: Key, compute: Compute) -> bytes:
        """The kept answer, or what `compute` returns, which is then kept.

        Requests that come together are computed once. `compute` starts after the request came,
        so that it sees what was acknowledged before. Errors of `compute` pass through.
        """
        if self._connection is None or self._store is None or key.kind in self._owed:
            return await compute()
        try:
            found, stamp, generation = await self._connection.get(
                key.answer, key.stamp, key.generation
            )
            if found is not None and stamp is not None and stamp == generation:
                return found
        except ConnectionFailure:
            pass
        return await self._together(self._store, key, compute)

    async def invalidate(self, kinds: Iterable[str]) -> None:
        """Forget every answer about these kinds; call it between commit and acknowledgement.

        When Redis fails, this process stops reading those answers and goes on trying.
        """
        if self._store is None:
            return
        changed = {*kinds, EVERY_KIND}
        try:
            await self._store.bump(changed, uuid4().hex)
        except StoreError as error:
            logger.warning("the cache could not be invalidated, trying on: %s", error)
            self._failures += 1
            self._owed.update(dict.fromkeys(changed, self._failures))
            if self._payer is None or self._payer.done():
                self._payer = asyncio.create_task(self._pay(self._store))

    async def _together(self, store: Store, key: Key, compute: Compute) -> bytes:
        # A computation that has begun may have read too early for a request that comes now:
        # newcomers share the next one, which mostly finds what the one before it has filled.
        task = self._waiting.get(key)
        if task is None:
            task = asyncio.create_task(self._in_turn(store, key, compute))
            task.add_done_callback(_retrieve)
            self._waiting[key] = task
        return await asyncio.shield(task)

    async def _in_turn(self, store: Store, key: Key, compute: Compute) -> bytes:
        turn = self._turns.setdefault(key, asyncio.Lock())
        async with turn:
            del self._waiting[key]
            return await self._look_or_compute(store, key, compute)

    async def _look_or_compute(self, store: Store, key: Key, compute: Compute) -> bytes:
        token = uuid4().hex
        try:
            look = await _look_in_turn(store, key, token)
        except StoreError:
            return await compute()
        if look.answer is not None:
            return look.answer
        answer = None
        try:
            answer = await compute()
        finally:
            # Pending since then: the generation in Redis is older than the ingest.
            kept = None if key.kind in self._owed else answer
            try:
                await store.fill(key, token, look.generation, kept)
            except StoreError as error:
                logger.warning("an answer could not be kept: %s", error)
        return answer

    async def _pay(self, store: Store) -> None:
        while self._owed:
            await asyncio.sleep(BUMP_RETRY_SECONDS)
            paid = dict(self._owed)
            try:
                await store.bump(paid, uuid4().hex)
            except StoreError:
                continue
            # What failed again meanwhile stays pending.
            for kind, failure in paid.items():
                if self._owed[kind] == failure:
                    del self._owed[kind]
        logger.info("the cache is invalidated")


async def _look_in_turn(store: Store, key: Key, token: str) -> Look:
    """Look until there is an answer, or this is the holder, or the first other holder is done."""
    first: bytes | None = None
    while True:
        look = await store.look(key, token)
        first = first or look.holder
        if look.answer is not None or look.holder == token.encode() or look.holder != first:
            return look
        await asyncio.sleep(POLL_SECONDS)


def _retrieve(task: asyncio.Task[bytes]) -> None:
    """Mark an error as seen: the caller may have gone."""
    if not task.cancelled():
        task.exception()
