"""Percentiles: as numpy computes them, within the error bound that the answer states."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import NOW, Json, ago, ingest_metrics, metric, query_agg

SHARES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
VALUES = st.one_of(
    st.floats(-1e6, 1e6, allow_subnormal=False),
    st.sampled_from([0.0, 0.0, 1.0, -1.0, 1e-12, -1e-12, 1e-301, 1e140, -1e140]),
)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(now=st.lists(VALUES, min_size=1, max_size=30), before=st.lists(VALUES, max_size=5))
@example(now=[-1000, 1005], before=[])
@example(now=[-1000, 1, 2, 1005], before=[])
@example(now=[5], before=[-3, -1, 1, 3])
def test_the_stated_error_bound_holds(
    db: Connection, now: list[float], before: list[float]
) -> None:
    with db.transaction(force_rollback=True):
        send(db, now, minutes=1)
        send(db, before, minutes=61)
        answer = query_agg(db, "cpu", "1h")
    assert (answer["count"], answer["previous"]["count"]) == (len(now), len(before))
    compare(answer, now, answer["error_bound"])
    if before:
        compare(answer["previous"], before, answer["error_bound"])


def send(db: Connection, values: list[float], *, minutes: int) -> None:
    """Store values a microsecond apart, in descending order of time."""
    start = NOW - timedelta(minutes=minutes)
    ingest_metrics(
        db,
        [
            metric(value=value, ts=(start - timedelta(microseconds=n)).isoformat())
            for n, value in enumerate(values)
        ],
    )


def compare(core: Json, values: list[float], bound: float | None) -> None:
    known = np.where(np.abs(values) <= 1e-300, 0.0, values)
    for name, share in SHARES.items():
        exact = float(np.quantile(known, share))
        if bound is not None:
            # A sum of two numbers that cancel out leaves their rounding.
            rounding = 1e-14 * float(np.abs(known).max())
            assert abs(core[name] - exact) <= bound * abs(exact) * (1 + 1e-9) + rounding
        assert known.min() <= core[name] <= known.max()


# The bins of the last two are represented by values between them.
@pytest.mark.parametrize("values", [[-1000, 1005], [100, 200]])
def test_between_two_values_percentiles_are_exact(db: Connection, values: list[float]) -> None:
    send(db, values, minutes=1)

    answer = query_agg(db, "cpu", "1h")
    exact = [float(np.quantile(values, share)) for share in SHARES.values()]
    assert [answer[name] for name in SHARES] == pytest.approx(exact)
    assert answer["error_bound"] == 0.01


def test_a_percentile_between_values_of_different_sign_has_no_bound(db: Connection) -> None:
    send(db, [-1000, -999, 1005, 1006], minutes=1)

    answer = query_agg(db, "cpu", "1h")
    assert answer["p50"] == pytest.approx(3, abs=20.1)
    assert answer["error_bound"] is None
    # The window before has none either, and its percentiles are in the answer.
    later = query_agg(db, "cpu", "1h", now=NOW + timedelta(hours=1))
    assert (later["count"], later["error_bound"]) == (0, None)


def test_a_group_without_a_bound_leaves_the_answer_without_one(db: Connection) -> None:
    ingest_metrics(
        db,
        [
            metric("x", source, value, ts=ago(seconds=n))
            for n, (source, value) in enumerate(
                [("a", -9), ("a", -8), ("a", 8), ("a", 9), *[("b", 5)] * 9]
            )
        ],
    )

    assert query_agg(db, "x", "1h")["error_bound"] == 0.01
    assert query_agg(db, "x", "1h", group_by="source")["error_bound"] is None


def test_a_bound_is_stated_where_every_percentile_lies_between_values_that_have_one(
    db: Connection,
) -> None:
    bounded: dict[str, list[float]] = {
        "zeros": [0] * 6,
        "below_one": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
        "negative": [-6, -5, -4, -3, -2, -1],
        "from_zero": [0, 0, 0, 5, 5, 5],
        "to_zero": [-5, -5, -5, 0, 0, 0],
        # The extremes are exact, however large.
        "two_huge": [1e60, 5e60],
    }
    unbounded: dict[str, list[float]] = {
        "of_both_signs": [-5, -4, 3],
        "up_to_a_half": [-5, -5, -5, 0.5, 0.5, 0.5],
        "three_huge": [1e60, 2e60, 5e60],
        "second_but_huge": [1] * 149 + [1e60, 2e60],
    }
    samples = bounded | unbounded
    ingest_metrics(
        db,
        [
            metric(name, value=value, ts=ago(minutes=5, seconds=n))
            for name, values in samples.items()
            for n, value in enumerate(values)
        ],
    )

    stated = {each["kind"]: each["error_bound"] for each in query_agg(db, None, "1h")["kinds"]}
    assert stated == dict.fromkeys(bounded, 0.01) | dict.fromkeys(unbounded)
