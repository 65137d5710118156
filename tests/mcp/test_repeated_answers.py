"""Results of tools that are kept for the next time that the same is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

import pytest
from mcp_types import ToolAnnotations
from msgspec import Meta, Struct

from supervisor_mcp.cache.derived import MOST_BYTES
from supervisor_mcp.mcp.answers import answered, answered_again
from supervisor_mcp.mcp.tool import LONGEST_KEPT, READING, STORING, OperationTool
from supervisor_mcp.operations.query import Query

SECRET = b'{"secret": "s"}'


class Answer(Struct):
    """Anything."""


async def query_agg(_query: Query) -> bytes:
    """A question."""
    return b'{"count": 1}'


async def create_key(_query: Query) -> bytes:
    """What is answered once."""
    return SECRET


def padded(size: int) -> bytes:
    """An answer of so many bytes."""
    return b'{"a": "' + b"x" * (size - 9) + b'"}'


@pytest.mark.parametrize(("size", "kept"), [(MOST_BYTES, True), (MOST_BYTES + 1, False)])
def test_the_result_of_an_equal_answer_is_kept_where_it_is_small(size: int, kept: bool) -> None:
    first = answered_again(padded(size))
    assert (answered_again(padded(size)) is first) == kept
    assert first == answered(padded(size))


@pytest.mark.parametrize(
    ("operation", "hints", "kept"), [(query_agg, READING, True), (create_key, STORING, False)]
)
async def test_only_results_of_reading_are_kept(
    operation: Callable[[Query], Awaitable[bytes]], hints: ToolAnnotations, kept: bool
) -> None:
    tool = OperationTool.asking(operation, Query, Answer, hints=hints)
    assert ((await tool.run({})) is (await tool.run({}))) == kept


class Counted(Query, frozen=True):
    """A question with two parameters."""

    name: Annotated[str, Meta(description="Any text.")]
    limit: Annotated[int | None, Meta(description="Any number.")] = None


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        ({"name": "cpu"}, True),
        ({"name": "x" * LONGEST_KEPT}, True),
        ({"name": "x" * (LONGEST_KEPT + 1)}, False),
        ({"name": "cpu", "limit": 1}, False),
    ],
)
async def test_a_question_of_short_texts_is_read_once(
    arguments: dict[str, object], kept: bool
) -> None:
    asked = []

    async def count(query: Counted) -> bytes:
        asked.append(query)
        return b"{}"

    tool = OperationTool.asking(count, Counted, Answer)
    await tool.run(arguments)
    await tool.run(dict(arguments))
    assert (asked[0] is asked[1]) == kept
    assert asked[0] == asked[1]


async def test_a_question_that_is_refused_is_refused_again() -> None:
    async def count(_query: Counted) -> bytes:
        return b"{}"

    tool = OperationTool.asking(count, Counted, Answer)
    assert (await tool.run({"name": "cpu"})).is_error is False
    for arguments in ({"name": "cpu", "limit": True}, {"nam": "cpu"}, {"nam": "cpu"}):
        assert (await tool.run(arguments)).is_error
