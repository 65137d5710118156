from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from supervisor_mcp.cli.lengths import from_now, time_of


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("2h", timedelta(hours=2)),
        ("10d", timedelta(days=10)),
        ("999999s", timedelta(seconds=999_999)),
    ],
)
def test_a_length_is_a_time_from_now(length: str, expected: timedelta) -> None:
    before = datetime.now(UTC)
    found = from_now(length)
    assert found is not None
    assert before <= datetime.fromisoformat(found) - expected <= datetime.now(UTC)


@pytest.mark.parametrize("written", ["", "2", "h", "0h", "02h", "2 h", "-2h", "2w", "1000000s"])
def test_other_texts_are_not_lengths(written: str) -> None:
    assert from_now(written) is None


@pytest.mark.parametrize("written", [None, "", "2026-11-25T10:00:00Z", "2 hours"])
def test_what_is_no_length_stays_as_it_is_written(written: str | None) -> None:
    assert time_of(written) == written


def test_a_length_as_a_time_is_this_long_from_now() -> None:
    before = datetime.now(UTC)
    found = time_of("2h")
    assert found is not None
    assert before <= datetime.fromisoformat(found) - timedelta(hours=2) <= datetime.now(UTC)
