from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor_mcp.cli.quantities import (
    age,
    counted,
    duration,
    elapsed,
    heading,
    moment,
    percent,
    seconds,
    some_of,
)

NOW = datetime(2026, 11, 25, 14, 13, 12, tzinfo=UTC)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "0")


@pytest.mark.parametrize(
    ("length", "shown"),
    [
        (None, None),
        (0, "0 s"),
        (0.0021, "0.002 s"),
        (2.0, "2 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min"),
        (58, "58 s"),
        (90, "1.5 min"),
        (3_599.9, "1 h"),
        (1.24, "1.2 s"),
        (-7_200, "-2 h"),
        (85_870, "23.9 h"),
        (86_400, "1 d"),
        (972_000, "11.2 d"),
        (432_000_000, "5,000 d"),
        (864_000, "10 d"),
    ],
)
def test_a_duration_has_its_largest_unit(length: float | None, shown: str | None) -> None:
    assert duration(length) == shown


@given(st.floats(-1e9, 1e9))
def test_a_duration_is_within_a_twentieth_of_the_length(length: float) -> None:
    shown, unit = (duration(length) or "").replace(",", "").split()
    size = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}[unit]
    assert abs(float(shown) * size - length) <= max(0.0006, abs(length) * 0.0501)


@pytest.mark.usefixtures("terminal")
def test_a_terminal_has_times_in_minutes() -> None:
    assert moment("2026-11-25T16:13:12.714118+02:00") == "2026-11-25 14:13 UTC"


@pytest.mark.usefixtures("pipe")
def test_a_pipe_has_exact_times() -> None:
    written = "2026-11-25T14:13:12.714118+00:00"
    assert (moment(written), age(written), elapsed(written)) == (written, written, written)


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("2026-11-25T14:13:00.5Z", "11 s ago"),
        ("2026-11-25T14:12:12Z", "1 min ago"),
        ("2026-11-25T13:13:13Z", "59 min ago"),
        ("2026-11-25T13:13:12Z", "1 h ago"),
        ("2026-11-24T14:13:13Z", "23 h ago"),
        ("2026-11-24T14:13:12Z", "1 d ago"),
        ("2026-11-01T00:00:00Z", "24 d ago"),
        ("2026-11-25T14:13:20Z", "0 s ago"),
    ],
)
def test_an_age_has_one_unit(written: str, shown: str) -> None:
    assert age(written, NOW) == shown
    assert elapsed(written, NOW) == shown.removesuffix(" ago")


@pytest.mark.usefixtures("pipe")
def test_a_pipe_has_numbers_with_three_digits_and_names_with_units() -> None:
    assert [percent(89.36858750702217), percent(90.0), percent(99.9996)] == [89.368, 90, 99.999]
    assert [seconds(12.3456789), seconds(3600.0), seconds(None)] == [12.346, 3600, None]
    assert heading("budget left", "seconds") == "budget_left_seconds"
    assert heading("uptime", "percent") == "uptime_percent"


@pytest.mark.usefixtures("terminal")
def test_a_terminal_has_names_without_underscores() -> None:
    assert heading("budget left", "seconds") == "budget left"
    assert heading("uptime", "percent") == "uptime %"


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0 alerts"), (1, "1 alert"), (2, "2 alerts"), (1_234, "1,234 alerts")],
)
def test_things_are_counted_in_the_plural_unless_there_is_one(number: int, shown: str) -> None:
    assert counted(number, "alert") == shown


@pytest.mark.parametrize(
    ("number", "total", "shown"),
    [
        (1, 1, "1 of 1 rule is"),
        (1, 2, "1 of 2 rules is"),
        (2, 2, "2 of 2 rules are"),
        (1_234, 12_345, "1,234 of 12,345 rules are"),
    ],
)
def test_the_verb_of_a_part_agrees_with_its_number(number: int, total: int, shown: str) -> None:
    assert some_of(number, total, "rule") == shown
