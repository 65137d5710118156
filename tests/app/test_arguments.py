"""Arguments are read in one way for REST, MCP and the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor_mcp.errors import Problem
from supervisor_mcp.operations import arguments

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(timezones=ZONES))
def test_an_rfc_3339_instant_is_read_as_written(instant: datetime) -> None:
    assert arguments.instant("from", instant.isoformat()) == instant


@given(st.integers(-62135596800, 253402300799))
def test_epoch_seconds_are_read_as_an_instant(seconds: int) -> None:
    read = arguments.instant("from", str(seconds))
    assert read is not None
    assert read.timestamp() == seconds
    assert arguments.instant("from", seconds) == read


@given(st.text())
def test_any_other_text_is_a_problem_and_nothing_else(text: str) -> None:
    assert arguments.EPOCH.fullmatch(text) or arguments.RFC_3339.fullmatch(text) or _refused(text)


def _refused(text: str) -> bool:
    with pytest.raises(Problem) as raised:
        arguments.instant("from", text)
    return raised.value.slug == "parameter_well_formed"


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "tomorrow",
        "infinity",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "2026-02-30T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-01-01T00:00:00+25:00",
        "999999999999",
        "1e9",
        "nan",
        "٣",
    ],
)
def test_what_is_no_instant_is_refused(sent: str) -> None:
    with pytest.raises(Problem, match="is not an instant"):
        arguments.instant("from", sent)


@given(st.integers(-999_999_999, 999_999_999))
def test_a_whole_number_is_read(number: int) -> None:
    assert arguments.whole("limit", str(number)) == number


@pytest.mark.parametrize("sent", ["", "1.0", "1e3", "ten", " 1", "9999999999", "٣"])
def test_what_is_no_whole_number_is_refused(sent: str) -> None:
    with pytest.raises(Problem, match="parameter_well_formed"):
        arguments.whole("limit", sent)


@pytest.mark.parametrize("sent", ["a\0b", "\ud800"])
def test_text_that_cannot_be_stored_is_refused(sent: str) -> None:
    with pytest.raises(Problem, match="parameter_well_formed"):
        arguments.text("kind", sent)


def test_an_absent_argument_that_is_needed_is_named() -> None:
    with pytest.raises(Problem) as raised:
        arguments.required("window", None, "Name one.")
    assert raised.value.slug == "parameter_required"
    assert raised.value.params == {"field": "window"}


def test_the_present_reads_as_itself() -> None:
    now = datetime(2025, 6, 15, 12, 30, tzinfo=UTC)
    assert arguments.instant("as_of", now.isoformat()) == now
