"""Matchers of labels, as they are typed and shown."""

from __future__ import annotations

import pytest

from supervisor_mcp.cli import matchers
from supervisor_mcp.cli.failure import Failure


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        ("severity=critical", ("severity", "=", "critical")),
        ("severity!=info", ("severity", "!=", "info")),
        ("source=~web-.*", ("source", "=~", "web-.*")),
        ("label.zone!~=eu", ("label.zone", "!~", "=eu")),
        ("source=~=x", ("source", "=~", "=x")),
        ("zone=", ("zone", "=", "")),
    ],
)
def test_a_matcher_is_shown_as_it_is_typed(given: str, parts: tuple[str, ...]) -> None:
    read = matchers.read(given)
    assert tuple(read.values()) == parts
    assert list(read) == ["name", "operator", "value"]
    assert matchers.shown([read, read]) == f"{given} {given}"


@pytest.mark.parametrize(
    ("given", "detail", "hint"),
    [
        (
            "a==b",
            '"a==b" has the operator ==, which matchers do not have.',
            "Use = for equality, and =~ or !~ for a value that begins with =.",
        ),
        (
            "a!==b",
            '"a!==b" has the operator !==, which matchers do not have.',
            "Use != for inequality, and =~ or !~ for a value that begins with =.",
        ),
        (
            "severity",
            '"severity" is not a matcher.',
            "Send NAME=VALUE, NAME!=VALUE, NAME=~REGEX or NAME!~REGEX.",
        ),
    ],
)
def test_what_is_no_matcher_is_refused_with_the_next_step(
    given: str, detail: str, hint: str
) -> None:
    with pytest.raises(Failure) as refused:
        matchers.read(given)
    assert (refused.value.detail, refused.value.hint) == (detail, hint)
    assert refused.value.status == 2
