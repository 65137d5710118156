"""Which answers have seen which changes, compared with a list of all commits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from supervisor_mcp.cache.changes import KEPT_SECONDS, Changes, Visibility

LIFETIME = 60
# A namespace and a kind in it.
Kind = tuple[str, str]
KINDS: tuple[Kind, ...] = (("", "cpu"), ("", "memory"), ("acme", "cpu"))
EVERYTHING: tuple[Kind, ...] = (("", "*"), ("acme", "*"))


def test_a_visibility_is_read_as_postgresql_writes_it() -> None:
    seen = Visibility.read("10:20:10,14,15")
    assert [n for n in range(8, 22) if not seen.sees(n)] == [10, 14, 15, 20, 21]


@given(st.data())
def test_covering_is_seeing_all_that_the_other_one_sees(data: st.DataObject) -> None:
    one, other = (
        Visibility(first, end, frozenset(running))
        for first, end, running in (
            data.draw(
                st.tuples(st.integers(3, 12), st.integers(0, 8), st.sets(st.integers(3, 20))).map(
                    lambda drawn: (
                        drawn[0],
                        drawn[0] + drawn[1],
                        {n for n in drawn[2] if drawn[0] <= n < drawn[0] + drawn[1]},
                    )
                )
            )
            for _ in range(2)
        )
    )
    if one.covers(other):
        assert all(one.sees(n) for n in range(25) if other.sees(n))


class Database(RuleBasedStateMachine):
    """Transactions that begin and commit in any order, a process that reads now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.next = 10
        self.running: dict[int, Kind] = {}
        self.committed: list[tuple[int, Kind]] = []
        self.changes = Changes(lifetime_seconds=LIFETIME)
        self.now = 0.0
        self.last: Visibility | None = None
        # Answers by their age: the kind, what they see, and the commits that they contain.
        self.answers: list[tuple[float, Kind, str, int]] = []

    @property
    def visibility(self) -> str:
        first = min(self.running, default=self.next)
        return f"{first}:{self.next}:{','.join(map(str, sorted(self.running)))}"

    @rule(kind=st.sampled_from(KINDS))
    def begin(self, kind: Kind) -> None:
        self.running[self.next] = kind
        self.next += 1

    @precondition(lambda self: self.running)
    @rule(data=st.data(), own=st.booleans())
    def commit(self, data: st.DataObject, own: bool) -> None:
        number = data.draw(st.sampled_from(sorted(self.running)))
        kind = self.running.pop(number)
        self.committed.append((number, kind))
        if own:
            self.changes.note([kind[1]], number, namespace=kind[0])

    @rule(kind=st.sampled_from((*KINDS, *EVERYTHING)))
    def answer(self, kind: Kind) -> None:
        self.answers.append((self.now, kind, self.visibility, len(self.committed)))

    @rule(seconds=st.sampled_from((1, 1, 1, 30, KEPT_SECONDS + 1)))
    def read(self, seconds: float) -> None:
        self.now += seconds
        found: dict[str, dict[str, list[int]]] = {}
        # The database has deleted what is too old, here: everything.
        if self.last is not None and seconds < KEPT_SECONDS:
            for number, (namespace, kind) in self.committed:
                if not self.last.sees(number):
                    found.setdefault(namespace, {}).setdefault(kind, []).append(number)
        self.last = Visibility.read(self.visibility)
        self.changes.learn(self.visibility, self.now, found)
        self._check()

    def _check(self) -> None:
        self.answers = [answer for answer in self.answers if self.now - answer[0] <= LIFETIME]
        for _, (namespace, kind), visibility, seen in self.answers:
            missed = [
                number
                for number, changed in self.committed[seen:]
                if changed[0] == namespace and kind in (changed[1], "*")
            ]
            if self.changes.has_seen_all(kind, visibility.encode(), namespace=namespace):
                assert missed == []

    @rule()
    def an_answer_of_now_is_good_once_something_is_read(self) -> None:
        for namespace, kind in (*KINDS, *EVERYTHING):
            good = self.changes.has_seen_all(kind, self.visibility.encode(), namespace=namespace)
            assert good is (self.last is not None)


TestDatabase = Database.TestCase


def test_a_change_of_this_process_ends_at_once_what_has_not_seen_it() -> None:
    changes = Changes(lifetime_seconds=LIFETIME)
    changes.learn("10:10:", 0, {})
    assert changes.has_seen_all("cpu", b"10:10:", namespace="")
    changes.note(["cpu"], 10, namespace="")
    assert not changes.has_seen_all("cpu", b"10:10:", namespace="")


def test_old_changes_are_forgotten() -> None:
    changes = Changes(lifetime_seconds=LIFETIME)
    for second in range(10 * LIFETIME):
        changes.learn(f"{second + 11}:{second + 11}:", second, {"": {"cpu": [second + 10]}})
    assert len(changes._by_kind[("", "cpu")]) <= 2 * LIFETIME + 2


def test_a_database_with_lower_transactions_makes_a_new_start() -> None:
    changes = Changes(lifetime_seconds=LIFETIME)
    changes.learn("1000:1000:", 0, {})
    changes.learn("50:50:", 1, {})
    assert changes.has_seen_all("cpu", b"50:50:", namespace="")
    assert not changes.has_seen_all("cpu", b"49:49:", namespace="")


def test_what_cannot_be_read_has_seen_nothing() -> None:
    changes = Changes(lifetime_seconds=LIFETIME)
    changes.learn("10:10:", 0, {})
    assert not changes.has_seen_all("cpu", b"", namespace="")
    assert not changes.has_seen_all("cpu", b"nonsense", namespace="")


def test_transactions_are_kept_once_each_in_their_order_however_they_come() -> None:
    changes = Changes(lifetime_seconds=LIFETIME)
    changes.learn("5:5:", 0, {})
    for transaction in (10, 30, 20, 20, 30, 30):
        changes.note(["cpu"], transaction, namespace="")
    assert changes._by_kind[("", "cpu")] == [10, 20, 30]
    assert not changes.has_seen_all("cpu", b"25:25:", namespace="")
    assert changes.has_seen_all("cpu", b"31:31:", namespace="")


def test_a_reading_becomes_the_horizon_when_every_answer_is_younger() -> None:
    changes = Changes(lifetime_seconds=LIFETIME)
    for seconds, seen in ((1000, 10), (1060, 20), (1061, 30), (1121, 40)):
        changes.learn(f"{seen}:{seen}:", seconds, {})
        assert changes.since == f"{seen}:{seen}:"
    assert changes.has_seen_all("cpu", b"15:15:", namespace="")
    changes.learn("50:50:", 1122, {})
    assert not changes.has_seen_all("cpu", b"15:15:", namespace="")
    assert changes.has_seen_all("cpu", b"30:30:", namespace="")


@pytest.mark.parametrize(("seconds", "known"), [(1800.0, True), (1801.0, False)])
def test_a_pause_in_which_the_database_may_have_deleted_changes_makes_a_new_start(
    seconds: float, known: bool
) -> None:
    changes = Changes(lifetime_seconds=10_000)
    changes.learn("10:10:", 500.0, {})
    changes.learn("12:12:", 500.0 + seconds, {})
    assert changes.has_seen_all("cpu", b"11:11:", namespace="") is known
    assert changes.has_seen_all("cpu", b"12:12:", namespace="")
