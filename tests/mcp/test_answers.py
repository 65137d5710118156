"""Answers of tools that are too large, or hold what Python cannot."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from mcp_types import TextContent

from supervisor_mcp.errors import Problem
from supervisor_mcp.mcp.answers import answered, bounded, with_fewer_rejections
from supervisor_mcp.mcp.problems import failed, protocol_error

MIB = 1024 * 1024


def test_an_answer_has_at_most_1_mib() -> None:
    assert bounded(b"x" * MIB, "Ask for less.") == b"x" * MIB
    with pytest.raises(Problem) as raised:
        bounded(b"x" * (MIB + 1), "Ask for less.")
    assert (raised.value.slug, raised.value.hint) == ("answer_within_limit", "Ask for less.")
    assert raised.value.detail == "the answer has 1048577 bytes; the limit for a tool is 1048576"


def test_of_rejections_that_are_too_many_as_many_are_left_as_fit_half_of_the_limit() -> None:
    rejections = [{"index": n // 2} for n in range(101)]
    fewer = with_fewer_rejections({"accepted": 1, "rejected": rejections}, "rejected", 2 * MIB)
    assert fewer == {"accepted": 1, "rejected": rejections[:25], "omitted": 38}


@pytest.mark.parametrize(
    ("digits", "number"),
    [
        ("9" * 4300, int("9" * 4300)),
        ("9" * 4301, "9" * 4301),
        ("1e999", "1e999"),
        ("-1e999", "-1e999"),
        ("1.5", 1.5),
    ],
)
def test_a_number_is_its_digits_where_python_has_none(digits: str, number: object) -> None:
    # The second one keeps the fast decoder from reading either.
    answer = f'{{"n": {digits}, "m": 1e999}}'.encode()
    result = answered(answer)
    assert result.structured_content == {"n": number, "m": "1e999"}
    (content,) = result.content
    assert isinstance(content, TextContent)
    assert content.text.encode() == answer


def text_of(problem: Problem) -> dict[str, Any]:
    result = failed(problem, "r")
    (content,) = result.content
    assert result.is_error
    assert isinstance(content, TextContent)
    read: dict[str, Any] = msgspec.json.decode(content.text)
    return read


def test_a_problem_of_many_items_is_shortened_where_it_is_too_large() -> None:
    items = [{"index": n, "detail": "x" * 100} for n in range(1000)]
    problem = Problem("items_refused", "d", params={"items": items})
    assert text_of(problem) == problem.body("r")
    # As large as it may be, and one byte larger.
    size = len(msgspec.json.encode(problem.body("r")))
    items[0]["detail"] = "x" * (100 + MIB - size)
    assert text_of(problem) == problem.body("r")
    items[0]["detail"] = "x" * (101 + MIB - size)
    params = text_of(problem)["params"]
    assert (len(params["items"]), params["omitted"]) == (499, 501)


@pytest.mark.parametrize(
    ("status", "code"), [(499, -32602), (500, -32603), (503, -32603), (404, -32602)]
)
def test_a_problem_of_the_service_is_an_internal_error_of_the_protocol(
    status: int, code: int
) -> None:
    error = protocol_error(Problem("a", "why", status=status), "r").error
    assert (error.code, error.message) == (code, "why")
    assert error.data == Problem("a", "why", status=status).body("r")
