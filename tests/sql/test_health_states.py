"""The state machine of a signal, state by state."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import NOW, ask
from tests.sql.reports import (
    KEEPALIVE_SECONDS,
    START,
    Report,
    add_server,
    at,
    history,
    record,
    state,
)

LASTS = 3 * KEEPALIVE_SECONDS
RANK = {"up": 0, "degraded": 1, "down": 2}


SHORT = {"u": "up", "g": "degraded", "d": "down"}
QUIET = settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))


def reported(statuses: str) -> list[Report]:
    """Reports ten seconds apart, of statuses in short."""
    return [(10.0 * n, SHORT[each]) for n, each in enumerate(statuses)]


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        # From unknown.
        ("u", ("up", 0)),
        ("g", ("degraded", 0)),
        ("d", ("unknown", None)),
        ("dd", ("unknown", None)),
        ("ddd", ("down", 20)),
        ("ddu", ("up", 20)),
        ("dg", ("degraded", 10)),
        # From up.
        ("uuuu", ("up", 0)),
        ("udd", ("up", 0)),
        ("uddd", ("down", 30)),
        ("uddud", ("up", 0)),
        ("uggg", ("degraded", 30)),
        ("ugdd", ("degraded", 30)),
        ("uddg", ("degraded", 30)),
        # From degraded.
        ("ggg", ("degraded", 0)),
        ("gu", ("degraded", 0)),
        ("guu", ("up", 20)),
        ("gugu", ("degraded", 0)),
        ("gdd", ("degraded", 0)),
        ("gddd", ("down", 30)),
        ("ugddd", ("down", 40)),
        # From down.
        ("dddd", ("down", 20)),
        ("dddu", ("down", 20)),
        ("ddduu", ("up", 40)),
        ("dddgg", ("degraded", 40)),
        ("dddug", ("degraded", 40)),
        ("dddgu", ("degraded", 40)),
        ("dddguu", ("up", 50)),
        ("dddudu", ("down", 20)),
    ],
)
def test_reports_in_a_row_change_the_status(
    db: Connection, statuses: str, expected: tuple[str, float | None]
) -> None:
    server = add_server(db)
    record(db, server, reported(statuses))

    status, since = state(db, server)
    registered = -timedelta(days=1).total_seconds()
    assert (status, since) == (expected[0], registered if expected[1] is None else expected[1])


def test_one_report_is_enough_where_the_thresholds_say_so(db: Connection) -> None:
    server = add_server(db, failures=1, successes=1)
    record(db, server, reported("dud"))

    assert history(db, server, now=at(30)) == [("down", 0, 10), ("up", 10, 20), ("down", 20, 30)]


def test_a_status_ends_with_its_last_report_and_then_nothing_is_known(db: Connection) -> None:
    server = add_server(db)
    record(db, server, [(0, "up"), (30, "up"), (1000, "up")])

    assert history(db, server, now=at(1010)) == [("up", 0, 30 + LASTS), ("up", 1000, 1010)]


def test_a_report_at_the_moment_of_the_end_continues_the_status(db: Connection) -> None:
    server = add_server(db)
    record(db, server, [(0, "up"), (LASTS, "up")])

    assert history(db, server, now=at(200)) == [("up", 0, 200)]


def test_reports_before_a_silence_do_not_count_after_it(db: Connection) -> None:
    server = add_server(db)
    record(db, server, [(0, "down"), (10, "down"), (1000, "down"), (1010, "down")])

    assert state(db, server) == ("unknown", -timedelta(days=1).total_seconds())


def test_a_status_that_nobody_confirms_after_a_silence_is_unknown_since_its_end(
    db: Connection,
) -> None:
    server = add_server(db)
    record(db, server, [(0, "up"), (1000, "down")])

    assert state(db, server) == ("unknown", LASTS)


def test_a_late_report_is_stored_and_moves_nothing(db: Connection) -> None:
    server = add_server(db)
    record(db, server, reported("uu"))

    assert record(db, server, [(5, "down")]) == (1, 0, 1)
    assert ask(db, "select count(*) from data.health_report") == 3
    assert ask(db, "select recent from data.health_state") == ["up", "up"]


def test_a_report_from_before_the_registration_moves_nothing(db: Connection) -> None:
    server = add_server(db, registered=START)

    assert record(db, server, [(-1, "up")]) == (1, 0, 1)
    assert state(db, server) == ("unknown", 0)


def test_a_clock_that_is_ahead_does_not_make_the_reports_of_others_late(db: Connection) -> None:
    server = add_server(db)
    record(db, server, [(240, "up")], now=at(0))

    assert record(db, server, [(10, "up")], now=at(10)) == (1, 0, 0)


def test_the_same_report_again_does_not_count(db: Connection) -> None:
    server = add_server(db)
    record(db, server, reported("udd"))

    assert record(db, server, reported("udd")) == (0, 3, 0)
    assert state(db, server) == ("up", 0)


def test_the_reason_is_the_detail_of_the_report_that_confirmed_the_status(db: Connection) -> None:
    server = add_server(db)
    record(db, server, reported("uddduu"))

    reasons = db.execute("select status, reason from data.health_interval order by during")
    assert reasons.fetchall() == [("up", "up at 1"), ("down", "down at 4")]
    assert ask(db, "select reason from data.health_state") == "up at 6"


class Machine:
    """The same machine written as it is described, over seconds."""

    def __init__(self, failures: int, successes: int) -> None:
        self.failures, self.successes = failures, successes
        self.status, self.since, self.expires = "unknown", float("-inf"), float("-inf")
        self.recent: list[str] = []
        self.last = float("-inf")
        self.intervals: list[tuple[str, float, float]] = []

    def take(self, ts: float, status: str) -> None:
        if ts < self.last:
            return
        if ts > self.expires:
            self._change("unknown", self.expires)
            self.recent = []
        self.recent.append(status)
        self.last, self.expires = ts, ts + LASTS
        for count, sign in ((self.failures, 1), (self.successes, -1)):
            newest = self.recent[-count:]
            if self.status == "unknown":
                if status != "down":
                    self._change(status, ts)
                elif sign == 1 and newest == ["down"] * count:
                    self._change("down", ts)
            elif len(newest) == count and all(
                sign * (RANK[each] - RANK[self.status]) > 0 for each in newest
            ):
                self._change(min(newest, key=lambda each: sign * RANK[each]), ts)
                return

    def _change(self, status: str, ts: float) -> None:
        if self.status != "unknown" and self.since < ts:
            self.intervals.append((self.status, self.since, ts))
        if status != self.status:
            self.status, self.since = status, ts


@QUIET
@given(
    batches=st.lists(
        st.lists(
            st.tuples(
                # Ties, silences and reports that come late.
                st.integers(0, 40).map(lambda n: n * 30.0) | st.integers(0, 1200).map(float),
                st.sampled_from(["up", "up", "degraded", "down"]),
            ),
            min_size=1,
            max_size=12,
        ),
        min_size=1,
        max_size=4,
    ),
    failures=st.integers(1, 4),
    successes=st.integers(1, 4),
)
def test_the_machine_does_what_is_described(
    db: Connection, batches: list[list[Report]], failures: int, successes: int
) -> None:
    machine = Machine(failures, successes)
    seen: set[tuple[float, str, int]] = set()
    with db.transaction(force_rollback=True):
        server = add_server(db, failures=failures, successes=successes)
        for batch in batches:
            record(db, server, batch)
            numbered = [(ts, status, n) for n, (ts, status) in enumerate(batch)]
            start = machine.last
            for ts, status, n in sorted(numbered, key=lambda each: (each[0], each[2])):
                if (ts, status, n) not in seen and ts >= start:
                    machine.take(ts, status)
            seen |= {*numbered}
        machine.take(3600.0, "up")
        record(db, server, [(3600, "up")])
        assert history(db, server, now=NOW) == machine.intervals


def test_a_status_that_began_as_the_registration_ended_has_not_been(db: Connection) -> None:
    server = add_server(db)
    record(db, server, [(0, "up"), (10, "up")])
    db.execute("select internal.end_health(%s, %s)", [server, at(0)])

    assert history(db, server) == []


def test_a_status_ends_with_the_registration_or_before(db: Connection) -> None:
    for name, end, expected in (("early", 20, 20), ("late", 10 * LASTS, LASTS)):
        server = add_server(db, name)
        record(db, server, [(0, "up")])
        db.execute("select internal.end_health(%s, %s)", [server, at(end)])

        assert history(db, server) == [("up", 0, expected)]


def test_a_report_of_the_same_moment_as_the_one_before_counts(db: Connection) -> None:
    server = add_server(db, failures=1)
    record(db, server, [(0, "up")])

    assert record(db, server, [(0, "down")]) == (1, 0, 0)
    assert state(db, server) == ("down", 0)
    assert history(db, server, now=at(10)) == [("down", 0, 10)]


def test_when_a_server_was_last_seen_outlasts_reports_that_it_is_down(db: Connection) -> None:
    server = add_server(db)
    record(db, server, [(0, "up"), (10, "degraded"), (20, "down")])
    record(db, server, [(30, "down")])

    assert ask(db, "select seen_at from data.health_state") == at(10)


def test_a_report_moves_the_signal_of_its_server_alone(db: Connection) -> None:
    a, b = (add_server(db, name, failures=1, successes=1) for name in ("a", "b"))
    record(db, a, [(0, "up"), (5, "up")])
    record(db, a, [(10, "degraded")], signal="probe")
    record(db, b, [(20, "down")])
    record(db, b, [(30, "up")], signal="probe")

    found = [state(db, server, signal) for server in (a, b) for signal in ("report", "probe")]
    assert found == [("up", 0), ("degraded", 10), ("down", 20), ("up", 30)]
    assert [history(db, server, now=at(40)) for server in (a, b)] == [
        [("up", 0, 40)],
        [("down", 20, 40)],
    ]
