"""How far a standby is behind, from what both servers say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from supervisor_mcp.operations.replication import Lag

# What a primary writes in each second.
WRITTEN = st.lists(st.integers(min_value=0, max_value=5), min_size=1, max_size=30)


@given(WRITTEN, st.integers(min_value=0, max_value=150))
def test_the_lag_is_the_age_of_the_oldest_position_that_is_missing(
    written: list[int], replayed: int
) -> None:
    lag = Lag()
    position = 0
    missing = []
    for second, size in enumerate(written):
        position += size
        lag.reach(second, position)
        if position > replayed:
            missing.append(second)
    now = len(written)
    assert lag.replay(now, replayed) == (now - missing[0] if missing else 0)


def test_a_standby_that_has_caught_up_is_not_behind() -> None:
    lag = Lag()
    lag.reach(1, 10)
    assert lag.replay(5, 9) == 4
    assert lag.replay(6, 10) == 0


def test_a_lag_of_hours_is_still_known() -> None:
    lag = Lag()
    for second in range(10_000):
        lag.reach(second, second + 1)
    assert lag.replay(10_000, 0) == 10_000
    assert lag.replay(10_000, 10_000) == 0


def test_another_primary_with_a_shorter_log_is_followed() -> None:
    lag = Lag()
    lag.reach(1, 100)
    lag.reach(2, 50)
    assert lag.replay(3, 60) == 0
