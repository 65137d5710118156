"""Arguments are read in one way from JSON and from text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor_mcp.errors import Problem
from supervisor_mcp.operations import arguments

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(timezones=ZONES))
def test_an_rfc_3339_timestamp_is_read_as_written(instant: datetime) -> None:
    assert arguments.timestamp("from", instant.isoformat()) == instant


@given(st.integers(-62135596800, 253402300799))
def test_epoch_seconds_are_read_as_a_timestamp(seconds: int) -> None:
    read = arguments.timestamp("from", str(seconds))
    assert read is not None
    assert read.timestamp() == seconds
    assert arguments.timestamp("from", seconds) == read


@given(st.text())
def test_any_other_text_is_a_problem_and_nothing_else(text: str) -> None:
    assert arguments.EPOCH.fullmatch(text) or arguments.RFC_3339.fullmatch(text) or _refused(text)


def _refused(text: str) -> bool:
    with pytest.raises(Problem) as raised:
        arguments.timestamp("from", text)
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
        "253402300799.5",
        "2026-01-01T00:00:00+16:00",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "nan",
        "٣",
    ],
)
def test_what_is_not_a_timestamp_is_refused(sent: str) -> None:
    with pytest.raises(Problem, match="must be a timestamp"):
        arguments.timestamp("from", sent)


@pytest.mark.parametrize("sent", ["1e9", "1000000000", "1.0E+9"])
def test_seconds_are_read_in_every_form_of_a_json_number(sent: str) -> None:
    assert arguments.timestamp("from", sent) == datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)


@pytest.mark.parametrize("fraction", ["", ".5", ".123456"])
def test_a_blank_is_accepted_for_the_t(fraction: str) -> None:
    read = arguments.timestamp("from", f"2026-11-23 16:00:00{fraction}Z")
    assert read == datetime.fromisoformat(f"2026-11-23T16:00:00{fraction}+00:00")


@pytest.mark.parametrize(
    ("sent", "unit", "factor"),
    [
        (1772366400000, "milliseconds", 1000),
        ("1772366400000", "milliseconds", 1000),
        (1772366400000000, "microseconds", 1000000),
        (1772366400000000000, "nanoseconds", 1000000000),
    ],
)
def test_epoch_milliseconds_are_recognized(sent: str | int, unit: str, factor: int) -> None:
    with pytest.raises(Problem, match="must be a timestamp") as raised:
        arguments.timestamp("from", sent)
    assert (
        raised.value.hint == f"This looks like epoch {unit}: divide it by {factor} to send seconds."
    )


@given(st.integers(-999_999_999, 999_999_999))
def test_an_integer_is_read_from_json_and_from_text(number: int) -> None:
    assert arguments.INTEGER.from_json("limit", number) == number
    assert arguments.INTEGER.from_text("limit", str(number)) == number


def test_a_whole_number_may_have_a_fraction_of_zero() -> None:
    read = arguments.INTEGER.from_json("limit", 5.0)
    assert (read, type(read)) == (5, int)


@pytest.mark.parametrize("sent", ["", "1.0", "1e3", "ten", " 1", "9999999999", "٣"])
def test_text_that_is_no_integer_is_refused(sent: str) -> None:
    with pytest.raises(Problem, match='parameter "limit" must be an integer'):
        arguments.INTEGER.from_text("limit", sent)


@pytest.mark.parametrize("sent", ["5", 5.5, 1e9, float("inf"), True, 10**9, [5]])
def test_json_that_is_no_integer_is_refused(sent: object) -> None:
    with pytest.raises(Problem, match='parameter "limit" must be an integer'):
        arguments.INTEGER.from_json("limit", sent)


def test_a_number_in_quotation_marks_is_shown_with_what_to_send() -> None:
    with pytest.raises(Problem) as raised:
        arguments.INTEGER.from_json("limit", "5")
    assert raised.value.detail == 'parameter "limit" must be an integer, not the string "5"'
    assert raised.value.hint == "Send the number 5 without quotation marks."


@pytest.mark.parametrize("sent", ["a\0b", "\ud800"])
def test_text_that_cannot_be_stored_is_refused(sent: str) -> None:
    with pytest.raises(Problem, match="parameter_well_formed"):
        arguments.text("kind", sent)


@pytest.mark.parametrize("sent", [{"a": 1}, "a", 5])
def test_what_is_no_array_of_objects_is_refused(sent: object) -> None:
    with pytest.raises(Problem, match='parameter "matchers" must be an array of objects'):
        arguments.OBJECTS.from_json("matchers", sent)


def test_a_text_within_an_object_that_cannot_be_stored_is_named() -> None:
    with pytest.raises(Problem) as raised:
        arguments.OBJECTS.from_json("matchers", [{"name": "a"}, {"value": ["b", "c\0"]}])
    assert raised.value.params == {"field": "matchers[1].value[1]"}


def test_members_of_objects_are_left_to_sql() -> None:
    sent = [{"name": 5}, 6]
    assert arguments.OBJECTS.from_json("matchers", sent) == sent


def test_the_present_reads_as_itself() -> None:
    now = datetime(2025, 6, 15, 12, 30, tzinfo=UTC)
    assert arguments.timestamp("as_of", now.isoformat()) == now
