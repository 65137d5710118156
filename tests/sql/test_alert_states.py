"""The states of an alert, evaluation by evaluation, beside a plain model of them."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import NOW, ask

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
    ],
)
def test_a_rule_is_evaluated_a_hundred_and_twenty_times_in_its_window(
    db: Connection, condition: str, seconds: int
) -> None:
    answer = ask(db, "select internal.evaluation_interval(%s)", condition)
    assert answer == timedelta(seconds=seconds)
