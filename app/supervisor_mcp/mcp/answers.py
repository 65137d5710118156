"""Finished JSON as the result of a tool."""

from __future__ import annotations

import json
import math
from typing import Any, Final

import msgspec
from fastmcp.tools.base import ToolResult
from mcp_types import TextContent

from supervisor_mcp.errors import Problem

# Twice that goes over the wire, as text and as structured content, and into a model's context.
LARGEST_BYTES: Final = 1024 * 1024
# Python refuses to read integers with more.
DIGITS = 4300


def answered(answer: bytes) -> ToolResult:
    """The result that says `answer`, a JSON object, as text to the byte and as structured content.

    A number that Python cannot hold, which only a payload can have, is a string of its digits in
    the structured content.
    """
    return ToolResult(
        content=[TextContent(type="text", text=answer.decode())],
        structured_content=_decoded(answer),
    )


def bounded(answer: bytes, hint: str) -> bytes:
    """The answer itself; raises `Problem` where it is larger than a tool may answer."""
    if len(answer) > LARGEST_BYTES:
        raise Problem(
            "answer_within_limit",
            f"The answer has {len(answer)} bytes; a tool answers with at most {LARGEST_BYTES}.",
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
