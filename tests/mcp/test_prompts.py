"""Arguments of prompts, checked before they become text."""

from __future__ import annotations

import pytest

from supervisor_mcp.errors import Problem
from supervisor_mcp.mcp.prompts import Diagnosis, Report, check
from supervisor_mcp.operations.query import Query


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        (Report, {}),
        (Report, {"kind": "Fact:Sale", "window": "24h"}),
        (Diagnosis, {"name": "a" * 200}),
        (Diagnosis, {"name": "io.github.acme/search", "window": "9999d"}),
    ],
)
def test_what_a_prompt_can_be_about_is_taken(query: type[Query], sent: dict[str, str]) -> None:
    check(query, sent)
    assert query.read(sent)


@pytest.mark.parametrize(
    ("query", "sent", "detail"),
    [
        (Diagnosis, {"name": "a" * 201}, f'invalid name "{"a" * 100}"'),
        (Diagnosis, {"name": 'a"b'}, 'invalid name "a"b"'),
        (Diagnosis, {"name": "a\n"}, 'invalid name "a\n"'),
        (Report, {"window": "week"}, 'invalid window "week"'),
        (Report, {"window": "10000d"}, 'invalid window "10000d"'),
    ],
)
def test_what_a_prompt_cannot_be_about_is_refused_by_name(
    query: type[Query], sent: dict[str, str], detail: str
) -> None:
    with pytest.raises(Problem) as raised:
        check(query, sent)
    (name,) = sent
    assert (raised.value.detail, raised.value.params) == (detail, {"field": name})
    assert raised.value.hint


@pytest.mark.parametrize(
    ("query", "sent", "slug"),
    [(Diagnosis, {}, "parameter_required"), (Report, {"name": "a"}, "parameter_known")],
)
def test_arguments_of_prompts_are_known_and_complete(
    query: type[Query], sent: dict[str, str], slug: str
) -> None:
    with pytest.raises(Problem) as raised:
        check(query, sent)
    assert raised.value.slug == slug
