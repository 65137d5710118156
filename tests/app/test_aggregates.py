"""Where the cache holds the answer to a question about aggregates."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from supervisor_mcp.cache.aggregates import EVERY_KIND
from supervisor_mcp.cache.store import Key
from supervisor_mcp.operations.aggregates import AggregateQuery

AS_OF = {"as_of": datetime(2025, 6, 15, 12, tzinfo=UTC)}


def asked(**more: Any) -> AggregateQuery:
    return AggregateQuery(window="7d", **{"kind": "cpu", **more})


@pytest.mark.parametrize(
    ("more", "narrowed"),
    [
        ({}, False),
        ({"kind": None}, False),
        ({"source": "s"}, True),
        ({"group_by": "source"}, True),
        ({"fields": ("count",)}, True),
        (AS_OF, True),
    ],
)
def test_a_question_is_about_a_whole_kind_or_narrowed(
    more: dict[str, Any], *, narrowed: bool
) -> None:
    assert asked(**more).narrowed is narrowed


def test_the_key_says_what_was_asked() -> None:
    assert asked().key("acme") == Key("cpu", "7d", namespace="acme")
    assert asked(kind=None).key("") == Key(EVERY_KIND, "7d", namespace="")


@pytest.mark.parametrize("more", [AS_OF, {"kind": EVERY_KIND}, {"kind": EVERY_KIND, **AS_OF}])
def test_what_is_stored_already_or_cannot_be_a_kind_is_not_kept(more: dict[str, Any]) -> None:
    assert asked(**more).key("") is None


def test_questions_with_other_filters_have_other_keys_of_16_bytes() -> None:
    narrowed: list[dict[str, Any]] = [
        {"source": "a"},
        {"group_by": "source"},
        {"fields": ("count",)},
        {"fields": ("sum",)},
    ]
    keys = [asked(**more).key("") for more in narrowed]
    digests = {key.answer.rpartition(":")[2] for key in keys if key is not None}
    assert len(digests) == len(narrowed)
    assert {len(digest) for digest in digests} == {32}


def test_the_key_of_a_question_is_made_once_for_each_namespace() -> None:
    query = asked()
    assert query.key("a") is query.key("a")
    assert query.key("a") != query.key("b")
