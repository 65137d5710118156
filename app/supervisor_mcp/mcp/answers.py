"""Finished JSON as the result of a tool."""

from __future__ import annotations

import json
import math
from typing import Any, Final

import msgspec
from fastmcp.tools.base import ToolResult
from mcp_types import TextContent

from supervisor_mcp.cache.derived import derived
from supervisor_mcp.errors import Problem

# It goes over the wire twice, as text and as structured content, and into a model's context.
LARGEST_BYTES: Final = 1024 * 1024
# Python refuses to read integers with more.
DIGITS = 4300


def answered(answer: bytes) -> ToolResult:
    """The result with `answer`, a JSON object, as the same text and as structured content.

    A number that Python cannot represent, which only a payload can contain, is a string of its
    digits in the structured content.
    """
    return ToolResult(
        content=[TextContent(type="text", text=answer.decode())],
        structured_content=_decoded(answer),
    )


# For an answer that the cache may give many times.
answered_again = derived(answered)


def with_fewer_rejections(holder: dict[str, Any], name: str, size: int) -> dict[str, Any]:
    """An object of `size` bytes with as many of its rejections as fit half of the limit.

    `omitted` counts the items that have none left.
    """
    rejections = holder[name]
    kept = rejections[: len(rejections) * LARGEST_BYTES // (2 * size)]
    omitted = {each["index"] for each in rejections} - {each["index"] for each in kept}
    return {**holder, name: kept, "omitted": len(omitted)}


def bounded(answer: bytes, hint: str) -> bytes:
    """The answer itself; raises `Problem` when it is too large for a tool."""
    if len(answer) > LARGEST_BYTES:
        raise Problem(
            "answer_within_limit",
            f"the answer has {len(answer)} bytes; the limit for a tool is {LARGEST_BYTES}",
            hint=hint,
        )
    return answer


def _decoded(answer: bytes) -> Any:
    try:
        return msgspec.json.decode(answer)
    except msgspec.DecodeError:
        return json.loads(answer, parse_int=_whole, parse_float=_real)


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= DIGITS else digits


def _real(digits: str) -> float | str:
    value = float(digits)
    return value if math.isfinite(value) else digits
