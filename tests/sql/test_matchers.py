"""Matchers of labels: what they match, and which are refused."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.calls import ask
from tests.sql.raised_alerts import matcher
from tests.support.waiting import eventually

LABELS = {"severity": "critical", "source": "web-1", "app.tier": 'a "b"\\\n'}
VALUES = st.text(st.sampled_from('ab\\"\n$.^(é'), max_size=4)


def matches(db: Connection, *matchers: object, labels: object = None) -> bool:
    found: bool = ask(
        db,
        "select internal.matches(%s, %s)",
        Jsonb(LABELS if labels is None else labels),
        Jsonb(list(matchers)),
    )
    return found


def faults(db: Connection, matchers: object, path: str = "matchers") -> list[tuple[Any, ...]]:
    return db.execute(
        "select * from internal.matcher_faults(%s, %s)", [Jsonb(matchers), path]
    ).fetchall()


def regex_fault(db: Connection, regex: str) -> str | None:
    fault: str | None = ask(db, "select internal.regex_fault(%s)", regex)
    return fault


@pytest.mark.parametrize(
    ("name", "operator", "value", "expected"),
    [
        ("severity", "=", "critical", True),
        ("severity", "=", "crit", False),
        ("severity", "!=", "critical", False),
        ("severity", "!=", "info", True),
        ("source", "=~", "web-[0-9]+", True),
        ("source", "=~", "web", False),
        ("source", "=~", "x|web-1|y", True),
        ("source", "!~", "web-.*", False),
        ("source", "!~", "web", True),
        ("app.tier", "=", 'a "b"\\\n', True),
        ("app.tier", "=~", r'a "b"\\\s', True),
        ("app.tier", "=~", "a.*", True),
    ],
)
def test_each_operator_compares_the_whole_value(
    db: Connection, name: str, operator: str, value: str, expected: bool
) -> None:
    assert matches(db, matcher(name, operator, value)) is expected


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("=", "", True),
        ("=", "x", False),
        ("!=", "", False),
        ("!=", "x", True),
        ("=~", ".*", True),
        ("=~", ".+", False),
        ("!~", ".*", False),
        ("!~", ".+", True),
    ],
)
def test_a_missing_label_is_an_empty_value(
    db: Connection, operator: str, value: str, expected: bool
) -> None:
    assert matches(db, matcher("region", operator, value)) is expected
    assert matches(db, matcher("region", operator, value), labels={"region": ""}) is expected


def test_labels_match_all_of_the_matchers(db: Connection) -> None:
    critical, web = matcher("severity", "=", "critical"), matcher("source", "=~", "web-.*")

    assert matches(db, critical, web)
    assert not matches(db, critical, web, matcher("source", "!=", "web-1"))
    assert matches(db)


def test_values_are_compared_before_regular_expressions(db: Connection) -> None:
    # Whether labels match is the same in any order; a comparison is much cheaper.
    web, critical = matcher("source", "=~", "web-.*"), matcher("severity", "=", "critical")
    for matchers in ([web, critical], [critical, web]):
        path = ask(db, "select internal.matchers_path(%s)::text", Jsonb(matchers))
        assert path.index("==") < path.index("like_regex")


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(value=VALUES, wanted=VALUES, present=st.booleans())
@example(value='"', wanted='"', present=True)
def test_any_value_equals_itself_and_nothing_else(
    db: Connection, value: str, wanted: str, present: bool
) -> None:
    labels = {"a": value} if present else {}
    equal = (value if present else "") == wanted
    assert matches(db, matcher("a", "=", wanted), labels=labels) is equal
    assert matches(db, matcher("a", "!=", wanted), labels=labels) is not equal
    escaped = re.sub(r"([^a-zé\n])", r"\\\1", wanted)
    assert matches(db, matcher("a", "=~", escaped), labels=labels) is equal
    assert matches(db, matcher("a", "!~", escaped), labels=labels) is not equal


def test_good_matchers_have_no_faults(db: Connection) -> None:
    assert faults(db, [matcher("a", "=", "("), matcher("app.tier", "!~", "x|y{1,3}")]) == []
    assert faults(db, []) == []


@pytest.mark.parametrize(
    ("matchers", "fields"),
    [
        ({"severity": "critical"}, {"matchers"}),
        (["severity"], {"matchers[0]"}),
        ([{}], {"matchers[0].name", "matchers[0].operator", "matchers[0].value"}),
        (
            [{"name": "a b", "operator": "==", "value": 1, "regex": True}],
            {"matchers[0].name", "matchers[0].operator", "matchers[0].value", "matchers[0].regex"},
        ),
        ([matcher("a", "=", "b"), matcher("a", "=", "x" * 501)], {"matchers[1].value"}),
        ([matcher("a", "=", "b")] * 21, {"matchers"}),
    ],
)
def test_all_fields_that_break_a_rule_are_named(
    db: Connection, matchers: object, fields: set[str]
) -> None:
    found = faults(db, matchers)
    assert {field for field, _, _ in found} == fields
    assert all(detail.endswith(".") for _, _, detail in found)


def test_every_regular_expression_that_does_not_compile_is_named(db: Connection) -> None:
    found = faults(db, [matcher("a", "=~", "("), matcher("b", "=", "("), matcher("c", "!~", "[")])

    assert found == [
        (
            "matchers[0].value",
            "regex_usable",
            "Invalid regular expression: parentheses () not balanced.",
        ),
        (
            "matchers[2].value",
            "regex_usable",
            "Invalid regular expression: brackets [] not balanced.",
        ),
    ]


@pytest.mark.parametrize("regex", ["a)|(?:b", "a\\", "***=a", "a{1,300}"])
def test_an_expression_that_is_none_within_another_is_refused(db: Connection, regex: str) -> None:
    assert "nvalid regular expression" in (regex_fault(db, regex) or "")


@pytest.mark.parametrize("regex", ["(?i)web", "(?x)a b", "a(?s:.)", "(?-i)a", "(?:a|(?im)b)"])
def test_options_are_refused_with_an_expression_that_needs_none(db: Connection, regex: str) -> None:
    fault = regex_fault(db, regex) or ""
    assert fault.startswith("It has options, which are not supported.")
    assert "[Ww]eb" in fault


@pytest.mark.parametrize("regex", [r"(a)\1", r"\\(a)\1", r"(a)[\1]"])
def test_references_to_groups_are_refused(db: Connection, regex: str) -> None:
    assert regex_fault(db, regex)


@pytest.mark.parametrize(
    "regex", ["(?=a)a", "(?!a)b", "a(?<=a)", "a(?<!b)", r"\\(?=a)", r"[\]](?=a)"]
)
def test_lookaround_is_refused(db: Connection, regex: str) -> None:
    assert (regex_fault(db, regex) or "").startswith("It looks around.")


@pytest.mark.parametrize(
    "regex",
    [
        "web-.*",
        r"\\1",
        r"\(?=",
        "[(?=]+",
        r"\(?i\)",
        "[(?i)]",
        "[]a(?!]",
        "[[:alpha:](?=]",
        "(?:a|b)+",
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "(web|api|db|cache)-(eu|us|ap)-[0-9]{1,3}",
        "",
    ],
)
def test_usual_expressions_are_good(db: Connection, regex: str) -> None:
    assert regex_fault(db, regex) is None


@pytest.mark.parametrize("regex", ["(a{1,100}){1,100}", "((a{1,99}){1,99}){1,99}", ".*" * 240])
def test_an_expression_that_runs_too_long_is_refused(db: Connection, regex: str) -> None:
    assert regex_fault(db, regex)


def test_repetitions_of_repetitions_are_refused_before_they_are_compiled(db: Connection) -> None:
    fault = ask(db, "select internal.regex_fault('(x{1,255}){1,255}')")

    assert fault == (
        "It has 65535 characters when its repetitions are written out. Send one with at most 500."
    )
    assert ask(db, "select internal.regex_fault('[a-f0-9]{1,32}-{2}[{]9999[}]')") is None


@pytest.mark.parametrize(
    ("regex", "length"),
    [
        ("a" * 501, "501"),
        ("a{250}{250}{160}{99}", "990000000"),
        ("a{250}{250}{160}{100}", "over a billion"),
    ],
)
def test_a_refusal_says_how_long_an_expression_is(db: Connection, regex: str, length: str) -> None:
    fault = regex_fault(db, regex) or ""

    assert fault.startswith(f"It has {length} characters when")


def test_an_expression_may_have_500_characters(db: Connection) -> None:
    # It takes half of the time that is allowed: on a busy machine, all of it now and then.
    eventually(lambda: regex_fault(db, "a" * 500) is None)


# Each of these took from half a second to minutes to compile, or ended the embedded server.
SLOW = [
    "((a*){0,40}){0,40}",
    "(((a|ab)(c|bcd)(d*)){0,100}){0,100}",
    "((a|b){0,100}){0,100}",
    "(a*b*c*d*){0,100}",
    "((a|b|){0,15}){0,15}",
    "((a*){40,}){40}",
    "(" * 14 + "a" + "+)" * 14,
]


@pytest.mark.parametrize("regex", [*SLOW, *(f"(?x)#(\n{each}" for each in SLOW)])
def test_an_expression_that_takes_long_to_compile_is_refused_at_once(
    db: Connection, regex: str
) -> None:
    db.execute("set local statement_timeout = '1s'")

    assert regex_fault(db, regex)


@pytest.mark.parametrize(
    "hidden",
    ["a)(?#", "((a*){0,40}(?#())){0,40}", "((a*){0,40}(?#\\)){0,40}", "((a*){0,40}(?#[)){0,40}"],
)
def test_a_comment_hides_neither_a_repetition_nor_the_end_of_a_group(
    db: Connection, hidden: str
) -> None:
    db.execute("set local statement_timeout = '1s'")

    assert regex_fault(db, hidden)


@pytest.mark.parametrize(
    ("bare", "length"),
    [
        ("", 0),
        ("abc", 3),
        ("a{3}", 3),
        ("a{2,}", 3),
        ("a{0}", 1),
        ("(ab){1,10}", 40),
        ("x(a{3}|b){2}y", 16),
        ("((a+)+)+", 20),
        ("(a", 1),
        ("a)", 2),
        ("a{b", 3),
        ("a{9999999999}", 256),
        ("{3}", 0),
        ("+a", 1),
        ("a+{3}", 6),
        ("a*{3}", 6),
    ],
)
def test_repetitions_count_as_if_written_out(db: Connection, bare: str, length: int) -> None:
    assert ask(db, "select internal.regex_length(%s)", bare) == length
