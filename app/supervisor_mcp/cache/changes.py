"""What this process knows of changes in the database, and whether an answer has seen them.

PostgreSQL says which transactions an answer sees, so an answer is compared with the transactions
that changed its kind. Nothing here depends on Redis, on clocks or on the order of commits.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

EVERY_KIND = "*"
# Half of the time for which sql/policies/kind_change.sql keeps them.
KEPT_SECONDS = 1800.0
MOST_COMPARED = 1024


@dataclass(frozen=True, slots=True)
class Visibility:
    """The transactions that a statement sees, as `pg_snapshot` writes them."""

    first_running: int
    end: int
    running: frozenset[int]

    @classmethod
    def read(cls, text: str) -> Self:
        """Read `xmin:xmax:xip,…`. Raises ValueError."""
        first, end, running = text.split(":")
        return cls(int(first), int(end), frozenset(map(int, filter(None, running.split(",")))))

    def sees(self, transaction: int) -> bool:
        """Whether what a transaction committed is visible."""
        return transaction < self.first_running or (
            transaction < self.end and transaction not in self.running
        )

    def covers(self, other: Visibility) -> bool:
        """Whether it sees everything that the other one sees."""
        return self.first_running >= other.end or (
            self.end >= other.end and not any(map(other.sees, self.running))
        )


class Changes:
    """Which transactions changed which kind: those of this process, and those that it has read.

    Answers that see less than `_horizon`, an early reading, are not trusted: what changed before
    it is not known here.
    """

    def __init__(self, *, lifetime_seconds: float) -> None:
        self._lifetime = lifetime_seconds
        # By namespace and kind.
        self._by_kind: dict[tuple[str, str], list[int]] = {}
        self._horizon: Visibility | None = None
        # The reading that becomes the horizon once every answer is younger than it.
        self._next: tuple[float, Visibility] | None = None
        self._newest: tuple[float, Visibility] | None = None
        # What the newest reading sees: the next one begins there. None before the first.
        self.since: str | None = None
        # An answer is asked for again and again until something changes.
        self._compared = lru_cache(maxsize=MOST_COMPARED)(self._compare)

    def note(self, kinds: Iterable[str], transaction: int, *, namespace: str) -> None:
        """A transaction changed kinds of a namespace."""
        self._compared.cache_clear()
        for kind in (*kinds, EVERY_KIND):
            known = self._by_kind.setdefault((namespace, kind), [])
            if not known or known[-1] < transaction:
                known.append(transaction)
            elif known[bisect_left(known, transaction)] != transaction:
                insort(known, transaction)

    def learn(
        self, since: str, seconds: float, changes: Mapping[str, Mapping[str, Iterable[int]]]
    ) -> None:
        """Take a reading: what it sees, the time of the database, what changed since the last.

        `changes` are the transactions by namespace and kind.
        """
        seen = Visibility.read(since)
        self._compared.cache_clear()
        for namespace, kinds in changes.items():
            for kind, transactions in kinds.items():
                for transaction in transactions:
                    self.note((kind,), transaction, namespace=namespace)
        if self._newest is None or _is_gap(self._newest, (seconds, seen)):
            self._horizon = seen
            self._next = None
        self._newest = (seconds, seen)
        self.since = since
        if self._next is None:
            self._next = self._newest
        elif seconds - self._next[0] > self._lifetime:
            self._horizon = self._next[1]
            self._next = self._newest
            self._forget(self._horizon.first_running)

    def has_seen_all(self, kind: str, visibility: bytes, *, namespace: str) -> bool:
        """Whether an answer about a kind has seen every change that is known here."""
        return self._compared(kind, visibility, namespace)

    def _compare(self, kind: str, visibility: bytes, namespace: str) -> bool:
        if self._horizon is None:
            return False
        try:
            seen = Visibility.read(visibility.decode())
        except ValueError:
            return False
        if not seen.covers(self._horizon):
            return False
        known = self._by_kind.get((namespace, kind))
        if not known or known[-1] < seen.first_running:
            return True
        return all(map(seen.sees, known[bisect_left(known, seen.first_running) :]))

    def _forget(self, transaction: int) -> None:
        """Drop what every answer since the horizon has seen."""
        for kind, known in list(self._by_kind.items()):
            del known[: bisect_left(known, transaction)]
            if not known:
                del self._by_kind[kind]


def _is_gap(last: tuple[float, Visibility], new: tuple[float, Visibility]) -> bool:
    """Whether changes between two readings may be deleted, or in a database restored meanwhile."""
    return new[0] - last[0] > KEPT_SECONDS or new[1].end < last[1].end
