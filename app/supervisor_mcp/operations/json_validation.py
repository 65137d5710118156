"""Checks of JSON text before it goes to SQL as it is.

PostgreSQL would refuse most of this too, but without a position, and as jsonb keeping the last of
two equal keys. Depth is limited before it reads anything: recursion costs stack.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import msgspec
from pydantic_core import from_json

from supervisor_mcp.errors import Problem

# Checking takes 2 µs per 100 bytes; more than this would delay other requests.
AT_ONCE_BYTES = 256 * 1024

# What pydantic reads, and any PostgreSQL.
DEPTH = 200

# An escaped backslash is skipped, so that what follows it is not read as an escape.
NUL_ESCAPE = re.compile(rb"\\\\|(\\u0000)")


async def check_depth(document: bytes) -> None:
    """Raise `Problem` where this is nested too deeply for SQL; it may not be JSON at all."""
    if not _is_shallow(document):
        await check_document(document)


async def check_document(document: bytes) -> None:
    """Raise `Problem` unless this is one JSON text that SQL can read."""
    if len(document) > AT_ONCE_BYTES:
        await asyncio.to_thread(_check, document)
    else:
        _check(document)


async def decode_object(document: bytes) -> dict[str, Any]:
    """The object that a JSON text is. Raises `Problem`."""
    await check_document(document)
    decoded = from_json(document)
    if not isinstance(decoded, dict):
        raise Problem(
            "body_is_object",
            "the body is not a JSON object",
            hint="Send one object with the parameters as its members.",
        )
    return decoded


async def read_lines(lines: bytes) -> bytes:
    """NDJSON as one JSON array; blank lines are left out. Raises `Problem`."""
    if len(lines) > AT_ONCE_BYTES:
        return await asyncio.to_thread(_read_lines, lines)
    return _read_lines(lines)


def _is_shallow(document: bytes) -> bool:
    """Whether a look at each item of an array, or at the document, rules deep nesting out."""
    try:
        items = list(map(bytes, ITEMS.decode(document)))
    except (msgspec.MsgspecError, RecursionError):
        return _openings(document) <= DEPTH
    return max(map(len, items), default=0) < DEPTH or max(map(_openings, items)) < DEPTH


def _openings(part: bytes) -> int:
    return part.count(b"[") + part.count(b"{")


def _check(document: bytes) -> None:
    _check_syntax(document, "")
    _check_keys(document)


def _read_lines(lines: bytes) -> bytes:
    items = []
    for number, line in enumerate(lines.split(b"\n"), start=1):
        item = line.strip(b" \t\r")
        if item:
            _check_syntax(item, f"line {number}: ")
            items.append(item)
    return b"[" + b",".join(items) + b"]"


def _check_syntax(document: bytes, place: str) -> None:
    try:
        from_json(document, allow_inf_nan=False, cache_strings="keys")
    except ValueError as error:
        reason = str(error)
        if "recursion limit" in reason:
            raise Problem(
                "json_too_deep",
                f"{place}objects and arrays are nested more than 200 levels deep",
                hint="Flatten the payload.",
            ) from None
        raise Problem(
            "json_malformed",
            f"{place}{reason}",
            hint="Send UTF-8 JSON (RFC 8259): no NaN, no comments, no trailing commas.",
        ) from None
    if b"\\u0000" in document:
        _check_escapes(document, place)


def _check_escapes(document: bytes, place: str) -> None:
    for match in NUL_ESCAPE.finditer(document):
        if match[1]:
            raise Problem(
                "json_malformed",
                f"{place}\\u0000 at byte {match.start()} is not supported",
                hint="Remove U+0000 from the string.",
            )


def _check_keys(document: bytes) -> None:
    KEYS.decode(document.decode())


def _refuse_repeated_keys(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) == len(pairs):
        return
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise Problem(
                "json_keys_repeated",
                f'an object contains the key "{key[:100]}" more than once',
                hint="Send every key once.",
            )
        seen.add(key)


ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
KEYS = json.JSONDecoder(object_pairs_hook=_refuse_repeated_keys)
