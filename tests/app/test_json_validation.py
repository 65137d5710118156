"""Checks of JSON before SQL sees it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor_mcp.errors import Problem
from supervisor_mcp.operations.json_validation import (
    check_depth,
    check_document,
    decode_object,
    read_lines,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=10,
).filter(lambda value: "Infinity" not in json.dumps(value))


async def slug_of(document: bytes) -> str | None:
    try:
        await check_document(document)
    except Problem as problem:
        return problem.slug if problem.status == 400 else f"{problem.status}"
    return None


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
async def test_what_a_json_writer_writes_is_taken(
    value: object, ascii_only: bool, indent: int | None
) -> None:
    assert await slug_of(json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()) is None


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{",
        b"[1,]",
        b'{"a":1}{"a":2}',
        b"[1] x",
        b'{"value":NaN}',
        b'{"value":Infinity}',
        b'{"value":-Infinity}',
        b"\xef\xbb\xbf[]",
        b'"\xff"',
        b"\xff",
        b'"a\x00b"',
        b'{"a":1}\x00',
        b'"\\u0000"',
        b'"\\\\\\u0000"',
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'"\x01"',
        b"'a'",
        b"[1] // comment",
        b"01",
    ],
)
async def test_what_is_not_json_that_can_be_stored_is_malformed(document: bytes) -> None:
    assert await slug_of(document) == "json_malformed"


async def test_an_escaped_backslash_before_u0000_is_text() -> None:
    assert await slug_of(b'"\\\\u0000"') is None


@pytest.mark.parametrize("document", [b'{"a":1,"a":1}', b'[{"b":{"a":1,"\\u0061":2}}]'])
async def test_a_key_named_twice_is_refused(document: bytes) -> None:
    assert await slug_of(document) == "json_keys_repeated"


@pytest.mark.parametrize("decode", [check_document, decode_object, read_lines])
@pytest.mark.parametrize(("size", "beside"), [(256 * 1024, False), (256 * 1024 + 1, True)])
async def test_a_large_document_is_checked_beside_other_requests(
    decode: Callable[[bytes], Coroutine[Any, Any, object]], size: int, beside: bool
) -> None:
    checking = asyncio.create_task(decode(b'{"a": 1}'.ljust(size)))
    await asyncio.sleep(0)
    assert checking.done() is not beside
    await checking


async def test_an_object_is_decoded_and_nothing_else() -> None:
    assert await decode_object(b'{"a": [1]}') == {"a": [1]}
    with pytest.raises(Problem, match="the body is not a JSON object") as raised:
        await decode_object(b"[]")
    assert raised.value.slug == "body_is_object"


async def test_the_key_that_is_named_twice_is_shown_shortened() -> None:
    with pytest.raises(Problem) as raised:
        await check_document(f'{{"a": 1, "{"k" * 101}": 1, "{"k" * 101}": 1}}'.encode())
    assert raised.value.detail == f'an object contains the key "{"k" * 100}" more than once'


@pytest.mark.parametrize("document", [b'"\\\\\\u0000"', b'["\\\\", "\\u0000"]'])
async def test_u0000_is_named_by_its_place(document: bytes) -> None:
    with pytest.raises(Problem) as raised:
        await check_document(document)
    place = document.rindex(b"\\u0000")
    assert raised.value.detail == f"\\u0000 at byte {place} is not supported"


async def test_the_line_of_a_fault_is_counted_from_1_with_the_blank_ones() -> None:
    for lines, number in ((b"[1", 1), (b"{}\n\n[1", 3), (b'{}\n"\\u0000"', 2)):
        with pytest.raises(Problem, match=f"line {number}: "):
            await read_lines(lines)


@pytest.mark.parametrize("depth", [250, 10_000, 2_000_000])
@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
async def test_deep_nesting_is_refused(depth: int, opening: bytes) -> None:
    assert await slug_of(opening * depth) == "json_too_deep"


async def test_a_payload_of_sensible_depth_is_taken() -> None:
    assert await slug_of(b'{"a":' * 100 + b"1" + b"}" * 100) is None


async def test_the_position_of_a_fault_is_reported() -> None:
    with pytest.raises(Problem, match="line 2 column 3"):
        await check_document(b'{"a":1,\n  b:2}')


@given(st.lists(VALUES), st.sampled_from(["\n", "\r\n", "\n\n", " \n\t"]))
async def test_lines_become_the_array_of_their_values(values: list[object], end: str) -> None:
    lines = "".join(json.dumps(value) + end for value in values).encode()
    assert json.loads(await read_lines(lines)) == values


@given(st.lists(VALUES, min_size=1))
async def test_the_last_line_needs_no_end(values: list[object]) -> None:
    lines = "\n".join(json.dumps(value) for value in values).encode()
    assert json.loads(await read_lines(lines)) == values


@pytest.mark.parametrize("line", [b'{"a":1},{"a":2}', b'{"a":1} {"a":2}', b"1]", b"[1", b"]["])
async def test_a_line_holds_one_value_and_is_named_where_it_does_not(line: bytes) -> None:
    with pytest.raises(Problem, match="line 2: ") as raised:
        await read_lines(b"{}\n" + line + b"\n{}")
    assert raised.value.slug == "json_malformed"


async def is_shallow(document: bytes) -> bool:
    try:
        await check_depth(document)
    except Problem as problem:
        return problem.slug != "json_too_deep"
    return True


@given(st.lists(VALUES, max_size=5), st.integers(0, 3), st.sampled_from([150, 198, 230, 900]))
async def test_the_look_at_depth_lets_nothing_through_that_is_too_deep(
    values: list[object], place: int, depth: int
) -> None:
    parts = [json.dumps(value) for value in values]
    parts.insert(place, "[" * depth + "]" * depth)
    assert await is_shallow(f"[{','.join(parts)}]".encode()) is (depth < 200)


@pytest.mark.parametrize(
    ("before", "depth", "is_taken"),
    [(b"", 200, True), (b"", 201, False), (b"[", 199, True), (b"[", 200, False)],
)
async def test_the_look_at_depth_knows_the_deepest_object_that_is_taken(
    before: bytes, depth: int, is_taken: bool
) -> None:
    document = before + b'{"a":' * depth + b"1" + b"}" * depth + before.replace(b"[", b"]")
    assert await is_shallow(document) is is_taken
    assert (await slug_of(document) is None) is is_taken


@pytest.mark.parametrize("document", [b"", b"{", b"[]", b"null", b"\xff", b"[1,]", b'["[[[{"]'])
async def test_the_look_at_depth_leaves_what_is_shallow_to_sql(document: bytes) -> None:
    assert await is_shallow(document)
