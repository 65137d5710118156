"""Arguments are read in one way from JSON and from text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor_mcp.errors import Problem
from supervisor_mcp.operations import arguments
from supervisor_mcp.operations.query import Query, parameters

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
        (arguments.FIRST_SECOND - 1, "milliseconds", 1000),
        (arguments.LAST_SECOND + 1, "milliseconds", 1000),
        (arguments.LAST_SECOND * 1000, "milliseconds", 1000),
        (arguments.LAST_SECOND * 1000 + 1, "microseconds", 1000000),
    ],
)
def test_epoch_milliseconds_are_recognized(sent: str | int, unit: str, factor: int) -> None:
    with pytest.raises(Problem, match="must be a timestamp") as raised:
        arguments.timestamp("from", sent)
    assert (
        raised.value.hint == f"This looks like epoch {unit}: divide it by {factor} to send seconds."
    )


@pytest.mark.parametrize("sent", ["tomorrow", True, None, [], 10**22, "1e999", "0001-01-01T00:00Z"])
def test_what_looks_like_no_time_is_answered_with_the_forms_of_one(sent: object) -> None:
    with pytest.raises(Problem, match="must be a timestamp") as raised:
        arguments.timestamp("from", sent)
    assert raised.value.hint == arguments.TIMESTAMP_HINT


def test_the_years_from_1_to_9999_are_read_and_no_other_second() -> None:
    first, last = -62_135_596_800, 253_402_300_799
    assert arguments.timestamp("from", first) == datetime(1, 1, 1, tzinfo=UTC)
    assert arguments.timestamp("from", last) == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    for beyond in (first - 1, last + 1):
        with pytest.raises(Problem):
            arguments.timestamp("from", beyond)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (["a"], "an array"),
        ({"a": 1}, "an object"),
        (True, "the boolean true"),
        (5, "the number 5"),
        (5.5, "the number 5.5"),
        (None, "the value null"),
        ("ü", 'the string "ü"'),
        ("\ud800", 'the string "\\ud800"'),
        ("x" * 98, f'the string "{"x" * 98}"'),
        ("x" * 99, f'the string "{"x" * 99}…'),
    ],
)
def test_an_error_names_what_was_sent_by_its_type_and_shortened(sent: object, shown: str) -> None:
    assert arguments.shown(sent) == shown


def test_the_name_of_a_bad_parameter_is_shortened() -> None:
    for sent in (5, "\0"):
        with pytest.raises(Problem) as raised:
            arguments.text("n" * 121, sent)
        assert raised.value.params == {"field": "n" * 120}
        assert f'parameter "{"n" * 120}" ' in raised.value.detail


@pytest.mark.parametrize(
    ("sent", "known", "hint"),
    [
        ("limits", ["cursor", "limit"], 'Did you mean "limit"? Known names: cursor, limit.'),
        ("x", ["cursor", "limit"], "Known names: cursor, limit."),
        ("x", [], "No names are accepted here."),
        # What comes after 100 characters is not compared.
        (
            "a" * 100 + "b" * 200,
            ["a" * 100],
            f'Did you mean "{"a" * 100}"? Known names: {"a" * 100}.',
        ),
    ],
)
def test_the_names_that_are_known_are_listed_with_the_nearest(
    sent: str, known: list[str], hint: str
) -> None:
    assert arguments.known_names(sent, known, "name") == hint


@pytest.mark.parametrize("reader", [arguments.BOOLEAN.from_json, arguments.BOOLEAN.from_text])
def test_a_boolean_is_true_or_false(reader: Callable[[str, Any], Any]) -> None:
    from_text = reader is arguments.BOOLEAN.from_text
    for value, sent in ((True, "true"), (False, "false")):
        assert reader("partial", sent if from_text else value) is value
    for wrong in ("yes", "", "True"):
        with pytest.raises(Problem, match='parameter "partial" must be '):
            reader("partial", wrong)


@pytest.mark.parametrize(
    ("reader", "sent", "read"),
    [
        (arguments.LIST.from_json, ["a", "b"], ("a", "b")),
        (arguments.LIST.from_text, "a, b", ("a", "b")),
        (arguments.MAP.from_json, {"a": "b"}, {"a": "b"}),
        (arguments.OBJECT.from_json, {"a": ["b", 5]}, {"a": ["b", 5]}),
    ],
)
def test_lists_and_objects_are_read(
    reader: Callable[[str, Any], Any], sent: object, read: object
) -> None:
    assert reader("p", sent) == read


@pytest.mark.parametrize(
    ("reader", "sent", "detail", "hint"),
    [
        (
            arguments.LIST.from_json,
            "sum",
            'parameter "p" must be an array of strings, not the string "sum"',
            'Send an array, such as ["sum"].',
        ),
        (
            arguments.LIST.from_json,
            "a b",
            'parameter "p" must be an array of strings, not the string "a b"',
            'Send an array, such as ["count"].',
        ),
        (
            arguments.LIST.from_json,
            5,
            'parameter "p" must be an array of strings, not the number 5',
            'Send an array, such as ["count"].',
        ),
        (
            arguments.LIST.from_json,
            ["a", 5],
            'parameter "p[1]" must be a string, not the number 5',
            "Send it in quotation marks.",
        ),
        (
            arguments.MAP.from_json,
            [],
            'parameter "p" must be an object, not an array',
            'Send an object of strings, such as {"region": "eu"}.',
        ),
        (
            arguments.MAP.from_json,
            {"a": 5},
            'parameter "p.a" must be a string, not the number 5',
            "Send it in quotation marks.",
        ),
        (
            arguments.OBJECT.from_json,
            [],
            'parameter "p" must be an object, not an array',
            "Send an object, in {}.",
        ),
        (
            arguments.OBJECT.from_json,
            {"a\0": 5},
            'parameter "p" contains U+0000 or an unpaired surrogate',
            "Send text without these characters.",
        ),
        (
            arguments.OBJECT.from_text,
            "{}",
            'parameter "p" must be an object, not the string "{}"',
            "Send it in the body, as JSON.",
        ),
        (
            arguments.OBJECTS.from_text,
            "[]",
            'parameter "p" must be an array of objects, not the string "[]"',
            "Send it in the body, as JSON.",
        ),
        (
            arguments.INTEGER.from_json,
            "ten",
            'parameter "p" must be an integer, not the string "ten"',
            "Send a whole number of at most nine digits, such as 100.",
        ),
    ],
)
def test_a_value_of_another_type_is_answered_with_what_to_send(
    reader: Callable[[str, Any], Any], sent: object, detail: str, hint: str
) -> None:
    with pytest.raises(Problem) as raised:
        reader("p", sent)
    assert (raised.value.detail, raised.value.hint) == (detail, hint)


def test_the_example_of_a_list_is_short() -> None:
    assert arguments.shown_item("a" * 101) == "a" * 100


class Shared(Query, frozen=True):
    """Arguments that several queries take."""

    limit: arguments.Limit = None
    from_: arguments.From = msgspec.field(default=None, name="from")


def test_what_schemas_publish_of_a_page_and_of_a_time() -> None:
    limit, start = parameters(Shared)
    assert (limit.name, limit.schema, limit.required) == (
        "limit",
        {
            "type": "integer",
            "description": "At most.",
            "minimum": 1,
            "maximum": 1000,
            "default": 100,
        },
        False,
    )
    assert start.name == "from"
    assert start.schema == {
        "type": ["string", "number"],
        "format": "date-time",
        "description": "Start, included.",
        "pattern": f"^{arguments.RFC_3339.pattern}$",
        "minimum": -62_135_596_800,
        "maximum": 253_402_300_799,
    }


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


@pytest.mark.parametrize("sent", ["5", 5.5, 1e9, float("inf"), True, 10**9, -(10**9), [5]])
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
