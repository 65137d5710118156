"""The states of an alert, evaluation by evaluation, beside a plain model of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.alert_rules import condition, define, rule
from tests.sql.calls import NOW, ask, ingest_metrics, metric

NEXT = """
select next.* from internal.next_alert(
    row(%s, %s::timestamptz, %s::timestamptz, %s::timestamptz)::data.alert_step, %s, %s, %s, %s
) as next
"""
SECONDS = st.integers(0, 3).map(lambda n: timedelta(seconds=n))


@dataclass
class Alert:
    """What is known of an alert between two evaluations."""

    state: str = "inactive"
    active_at: datetime | None = None
    fired_at: datetime | None = None
    recovering_at: datetime | None = None

    def evaluate(
        self, at: datetime, active: bool | None, lasts: timedelta, keeps: timedelta
    ) -> None:
        """Without an answer, all stays as it is."""
        if active:
            self._hold(at, lasts)
        elif active is False:
            self._end(at, keeps)

    def _hold(self, at: datetime, lasts: timedelta) -> None:
        if self.state in {"inactive", "resolved"}:
            self.state, self.active_at, self.fired_at = "pending", at, None
        self.recovering_at = None
        if self.state == "pending" and self.active_at and at >= self.active_at + lasts:
            self.state, self.fired_at = "firing", at

    def _end(self, at: datetime, keeps: timedelta) -> None:
        if self.state != "firing":
            self.state, self.active_at, self.fired_at, self.recovering_at = "inactive", *[None] * 3
            return
        self.recovering_at = self.recovering_at or at
        if at >= self.recovering_at + keeps:
            self.state, self.recovering_at = "resolved", at


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    answers=st.lists(
        st.tuples(st.integers(1, 2), st.sampled_from([True, True, False, False, None])), max_size=14
    ),
    lasts=SECONDS,
    keeps=SECONDS,
)
def test_every_evaluation_moves_an_alert_as_its_rule_says(
    db: Connection,
    answers: list[tuple[int, bool | None]],
    lasts: timedelta,
    keeps: timedelta,
) -> None:
    at, alert = NOW, Alert()
    known: tuple[object, ...] | None = astuple(alert)
    for seconds, active in answers:
        at += timedelta(seconds=seconds)
        alert.evaluate(at, active, lasts, keeps)
        known = db.execute(NEXT, [*(known or ()), active, at, lasts, keeps]).fetchone()
        assert known == astuple(alert)


@pytest.mark.parametrize("threshold", [-1.0, 0.0, 2.5])
@pytest.mark.parametrize(
    ("sign", "below", "equal", "above"),
    [
        (">", False, False, True),
        (">=", False, True, True),
        ("<", True, False, False),
        ("<=", True, True, False),
        ("==", False, True, False),
        ("!=", True, False, True),
    ],
)
def test_a_value_is_compared_as_the_sign_says(
    db: Connection, threshold: float, sign: str, below: bool, equal: bool, above: bool
) -> None:
    compared = [
        ask(db, "select internal.compares(%s, %s, %s)", threshold + step, sign, threshold)
        for step in (-0.001, 0, 0.001)
    ]
    assert compared == [below, equal, above]
    assert ask(db, "select internal.compares(null, %s, %s)", sign, threshold) is None


@pytest.mark.parametrize(
    ("condition", "seconds"),
    [
        ('{"type": "health"}', 15),
        ('{"type": "threshold", "window": "1 minute"}', 15),
        ('{"type": "threshold", "window": "30 minutes"}', 15),
        ('{"type": "threshold", "window": "60 minutes"}', 30),
        ('{"type": "threshold", "window": "10 hours"}', 300),
        ('{"type": "threshold", "window": "30 days"}', 300),
        ('{"type": "facts", "during": {"window": "2 hours"}}', 60),
        (
            '{"type": "burn_rate", "pairs": [{"short": "3 hours", "long": "30 days"},'
            ' {"short": "2 hours", "long": "3 days"}]}',
            60,
        ),
    ],
)
def test_a_rule_is_evaluated_a_hundred_and_twenty_times_in_its_window(
    db: Connection, condition: str, seconds: int
) -> None:
    answer = ask(db, "select internal.evaluation_interval(%s)", condition)
    assert answer == timedelta(seconds=seconds)


@dataclass(frozen=True)
class Rule:
    """A rule that may be due: times are seconds from NOW."""

    namespace: str
    window: str
    kind: str
    enabled: bool
    deleted: bool
    has_alert: bool
    due: float | None
    evaluated: float | None
    cancellations: int

    @property
    def is_due(self) -> bool:
        """Whether anything is to be evaluated at NOW."""
        return (
            not self.deleted
            and (self.due is None or self.due < 1)
            and (self.evaluated is None or self.evaluated < 0)
            and (self.enabled or self.has_alert)
        )


def often(usual: object, *others: object) -> st.SearchStrategy[object]:
    return st.sampled_from([usual, usual, usual, *others])


RULES = st.builds(
    Rule,
    st.sampled_from(["", "acme"]),
    st.sampled_from(["5m", "1h"]),
    st.sampled_from(["cpu", "load"]),
    often(True, False),
    often(False, True),
    often(False, True),
    often(None, -5, -1, 0.999, 1, 2),
    often(None, -1, 0, 1),
    often(0, 1, 2),
)


def slow(due: float | None) -> Rule:
    """A rule whose evaluation took too long once."""
    return Rule("", "5m", "cpu", True, False, False, due, None, 1)


SET = """
update data.every_alert_rule
set deleted_at = %s, deleted_by = %s, due_at = %s, evaluated_at = %s, cancellations = %s
where namespace = %s and name = %s returning rule_id
"""
FIRING = """
insert into data.every_alert (
    rule_id, fingerprint, version, label, labels, annotations, state, active_at, fired_at, evidence,
    namespace
)
values (%(rule)s, 'f' || %(rule)s, 1, '', '{}', '{}', 'firing', %(at)s, %(at)s, '{}', %(namespace)s)
"""


def expected(rules: Iterable[tuple[int, Rule]], limit: int) -> list[int]:
    """Those of the first namespace that come next; one alone where only such are left."""
    ordered = sorted(
        ((number, each) for number, each in rules if each.is_due),
        key=lambda pair: (
            pair[1].cancellations > 0,
            (pair[1].due is not None, pair[1].due or 0) if pair[1].cancellations else (False, 0),
            *(pair[1].namespace, pair[1].window, pair[1].kind, pair[0]),
        ),
    )
    if not ordered:
        return []
    first = ordered[0][1]
    if first.cancellations:
        return [ordered[0][0]]
    return [
        number
        for number, each in ordered[:limit]
        if each.namespace == first.namespace and not each.cancellations
    ]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(rules=st.lists(RULES, max_size=9), limit=st.integers(1, 5))
@example(rules=[slow(due=-1), slow(due=-5)], limit=5)
@example(rules=[slow(due=-1), slow(due=None)], limit=5)
def test_rules_that_are_due_are_evaluated_by_their_namespaces_and_slow_ones_alone(
    db: Connection, rules: list[Rule], limit: int
) -> None:
    numbered = []
    with db.transaction(force_rollback=True):
        db.execute("update data.every_alert_rule set deleted_at = now(), deleted_by = 'ann'")
        for namespace in ("", "acme"):
            db.execute("select set_config('supervisor.namespace', %s, true)", [namespace])
            ingest_metrics(db, [metric(), metric("load")])
        for place, each in enumerate(rules):
            db.execute("select set_config('supervisor.namespace', %s, true)", [each.namespace])
            asked = condition(window=each.window, kind=each.kind)
            define(db, rule(asked, enabled=each.enabled), f"r{place}")
            ended = (NOW, "ann") if each.deleted else (None, None)
            times = [
                None if seconds is None else NOW + timedelta(seconds=seconds)
                for seconds in (each.due, each.evaluated)
            ]
            number = ask(db, SET, *ended, *times, each.cancellations, each.namespace, f"r{place}")
            if each.has_alert:
                db.execute(FIRING, {"rule": number, "at": NOW, "namespace": each.namespace})
            numbered.append((number, each))
        found = ask(db, "select internal.due_alert_rules(%s, %s)", NOW, limit)
    assert found == expected(numbered, limit)
