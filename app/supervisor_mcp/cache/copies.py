"""Copies of answers in this process, which Redis invalidates (client-side caching of Redis 6).

Only where Redis is reached by a Unix socket. What it has written is then there to read at once, so
that no answer is older than what was acknowledged before the question: `Store.bump` returns when
Redis has informed every process, and a process whose socket has something unread asks Redis
instead. Across a network, or through a proxy, an acknowledgement may be faster than that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

# Redis invalidates a key that has expired only when it finds it.
LIFETIME_SECONDS = 1.0
# What is beyond these is read from Redis.
MOST_COPIES = 512
MOST_BYTES = 64 * 1024


class Copy(NamedTuple):
    """An answer, what it has seen, the names of the keys that it depends on, and its last time."""

    answer: bytes
    seen: bytes
    names: tuple[bytes, ...]
    until: float


class Copies:
    """Those of one connection, which end with it.

    `has_unread` says whether Redis has said something on it that nobody has read yet; `time` is a
    clock in seconds.
    """

    def __init__(self, has_unread: Callable[[], bool], time: Callable[[], float]) -> None:
        self._has_unread = has_unread
        self._time = time
        self._kept: dict[str, Copy] = {}
        self._dependent: dict[bytes, set[str]] = {}

    def find(self, name: str) -> Copy | None:
        """The copy of the answer of this name, unless Redis may have invalidated it."""
        copy = self._kept.get(name)
        if copy is None:
            return None
        if copy.until <= self._time():
            self._forget(name)
            return None
        return None if self._has_unread() else copy

    def keep(
        self, names: tuple[str, ...], answer: bytes, seen: bytes, lifetime_seconds: float
    ) -> None:
        """Keep what was just read; `names` are the keys that it depends on, its own first."""
        if lifetime_seconds <= 0 or len(answer) > MOST_BYTES:
            return
        name = names[0]
        self._forget(name)
        if len(self._kept) >= MOST_COPIES:
            self._forget(next(iter(self._kept)))
        until = self._time() + min(lifetime_seconds, LIFETIME_SECONDS)
        copy = Copy(answer, seen, tuple(each.encode() for each in names), until)
        self._kept[name] = copy
        for each in copy.names:
            self._dependent.setdefault(each, set()).add(name)

    def drop(self, names: Iterable[bytes] | None) -> None:
        """End the copies that depend on keys of these names; None is all of them."""
        if names is None:
            self._kept.clear()
            self._dependent.clear()
            return
        for each in names:
            for name in tuple(self._dependent.get(each, ())):
                self._forget(name)

    def _forget(self, name: str) -> None:
        copy = self._kept.pop(name, None)
        if copy is None:
            return
        for each in copy.names:
            dependent = self._dependent[each]
            dependent.discard(name)
            if not dependent:
                del self._dependent[each]
