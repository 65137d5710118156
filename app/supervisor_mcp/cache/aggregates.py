"""Finished aggregates in Redis; a failure of Redis is a miss, never an error.

An answer that is found was computed after every ingest of its kind that was acknowledged before
the request came. `cache/store.py` says how a slow reader and an ingest do not cross. That holds
while Redis keeps what it is given. When it loses an invalidation, or a process ends before sending
one, `cache/changes.py` finds the answer stale as soon as this process has read of the change.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from uuid import uuid4
from weakref import WeakValueDictionary

from supervisor_mcp.cache.changes import EVERY_KIND, Changes
from supervisor_mcp.cache.connection import Connection, ConnectionFailure
from supervisor_mcp.cache.store import Computed, Key, Look, Store

__all__ = ["EVERY_KIND", "Cache", "Computed", "Key"]

POLL_SECONDS = 0.01

Compute = Callable[[], Awaitable[Computed]]


class Cache:
    """One per process. `redis` None means that there is none: every answer is computed."""

    def __init__(self, redis: Connection | None, *, ttl_seconds: int) -> None:
        self.redis = redis
        self._store = Store(redis, ttl_ms=ttl_seconds * 1000) if redis else None
        self._waiting: dict[Key, asyncio.Task[bytes]] = {}
        self._turns: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()
        self.changes = Changes(lifetime_seconds=ttl_seconds)

    @property
    def is_off(self) -> bool:
        """Whether there is no Redis."""
        return self._store is None

    async def open(self) -> None:
        """Connect; a Redis that is not there is no error."""
        if self.redis is not None:
            await self.redis.open()

    def close(self) -> None:
        """Drop the connection."""
        if self.redis is not None:
            self.redis.close()

    async def fault(self) -> str | None:
        """Why Redis is not used, in words without addresses; None when nothing is wrong."""
        return None if self.redis is None else await self.redis.check()

    def find(self, key: Key) -> bytes | None:
        """The answer as `answer` gives it, if this process has a copy: without a coroutine."""
        if self._store is None:
            return None
        found, visibility = self._store.find(key)
        return found if self._is_current(key, visibility) else None

    async def answer(self, key: Key, compute: Compute) -> bytes:
        """The kept answer, or what `compute` returns, which is then kept.

        Requests that come together are computed once. `compute` starts after the request came,
        so that it sees what was acknowledged before. Errors of `compute` pass through.
        """
        if self._store is None:
            return (await compute()).answer
        if (copied := self.find(key)) is not None:
            return copied
        try:
            found, visibility = await self._store.read(key)
            if found is not None and self._is_current(key, visibility):
                return found
        except ConnectionFailure:
            pass
        return await self._together(self._store, key, compute)

    async def invalidate(self, kinds: Iterable[str], transaction: int, *, namespace: str) -> None:
        """Forget every answer about kinds of a namespace that a transaction changed.

        Call it between commit and acknowledgement. When Redis fails, this process takes the
        answers for stale at once, and the others when they read of the change.
        """
        changed = {*kinds, EVERY_KIND}
        if self._store is not None or self.changes.since is not None:
            self.changes.note(changed, transaction, namespace=namespace)
        if self._store is None:
            return
        with suppress(ConnectionFailure):
            await self._store.bump(changed, uuid4().hex, namespace=namespace)

    def _is_current(self, key: Key, visibility: bytes | None) -> bool:
        return visibility is not None and self.changes.has_seen_all(
            key.kind, visibility, namespace=key.namespace
        )

    async def _together(self, store: Store, key: Key, compute: Compute) -> bytes:
        # A computation that has begun may have read too early for a request that comes now:
        # newcomers share the next one, which mostly finds what the one before it has filled.
        if key not in self._waiting:
            self._waiting[key] = asyncio.create_task(self._in_turn(store, key, compute))
            self._waiting[key].add_done_callback(_retrieve)
        # By no name: an error has this frame, which must not have the error by its task.
        return await asyncio.shield(self._waiting[key])

    async def _in_turn(self, store: Store, key: Key, compute: Compute) -> bytes:
        turn = self._turns.setdefault(key, asyncio.Lock())
        async with turn:
            del self._waiting[key]
            return await self._look_or_compute(store, key, compute)

    async def _look_or_compute(self, store: Store, key: Key, compute: Compute) -> bytes:
        if self.changes.since is None:
            # Which answers to trust is not known yet.
            return (await compute()).answer
        token = uuid4().hex
        try:
            look = await self._look_in_turn(store, key, token)
        except ConnectionFailure:
            return (await compute()).answer
        if look.answer is not None:
            return look.answer
        kept = None
        try:
            computed = await compute()
            # A replica may lack what was committed before the question.
            if computed.visibility and self._is_current(key, computed.visibility.encode()):
                kept = computed
        finally:
            with suppress(ConnectionFailure):
                await store.fill(key, token, look.generation, kept)
        return computed.answer

    async def _look_in_turn(self, store: Store, key: Key, token: str) -> Look:
        """Look until there is an answer, or this is the holder, or the first other one is done."""
        first: bytes | None = None
        stale = b""
        while True:
            look = await store.look(key, token, stale)
            if look.answer is not None and look.stamp is not None:
                if self._is_current(key, look.stamp.partition(b" ")[2]):
                    return look
                stale = look.stamp
                continue
            first = first or look.holder
            if look.holder == token.encode() or look.holder != first:
                return look
            await asyncio.sleep(POLL_SECONDS)


def _retrieve(task: asyncio.Task[bytes]) -> None:
    """Mark an error as seen: the caller may have gone."""
    if not task.cancelled():
        task.exception()
