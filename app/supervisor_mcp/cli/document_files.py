"""Files of documents, such as server.json or an alert rule.

A file is one document, an array of them, one a line, or a list of the official registry.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from supervisor_mcp.cli.failure import USAGE, Failure

STANDARD_INPUT = "-"
LARGEST_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Entry:
    """What a file has at a place, such as `entry 3`: a document, or why it is not one."""

    place: str
    document: dict[str, Any] | None
    fault: str = ""


def read(name: str) -> Iterator[Entry]:
    """Every entry of a file; - is standard input. Raises Failure when it cannot be read."""
    body = _body(name).removeprefix(b"\xef\xbb\xbf").strip()
    if not body:
        raise Failure(f"{shown(name)} is empty.", USAGE)
    try:
        content = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        yield from _lines(body, name, error)
        return
    if isinstance(content, dict) and isinstance(content.get("servers"), list):
        content = content["servers"]
    listed = content if isinstance(content, list) else [content]
    for number, item in enumerate(listed, start=1):
        yield _entry(f"entry {number}", item)


def _body(name: str) -> bytes:
    try:
        if name == STANDARD_INPUT:
            body = sys.stdin.buffer.read(LARGEST_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                body = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise Failure(f"{name} cannot be read: {error.strerror}.", USAGE) from error
    if len(body) > LARGEST_BYTES:
        raise Failure(
            f"{shown(name)} is larger than {LARGEST_BYTES >> 20} MiB.",
            USAGE,
            hint="Split it, and send the parts one after the other.",
        )
    return body


def shown(name: str) -> str:
    """What a file is called in messages."""
    return "<stdin>" if name == STANDARD_INPUT else name


def _lines(body: bytes, name: str, error: Exception) -> Iterator[Entry]:
    """NDJSON, of which at least one line is JSON. Raises Failure."""
    entries = []
    for number, line in enumerate(body.split(b"\n"), start=1):
        if line.strip():
            try:
                entries.append(_entry(f"line {number}", msgspec.json.decode(line)))
            except (msgspec.MsgspecError, UnicodeDecodeError) as reason:
                entries.append(Entry(f"line {number}", None, f"It is not JSON: {reason}."))
    if not any(entry.document for entry in entries):
        raise Failure(
            f"{shown(name)} is not JSON: {error}.",
            USAGE,
            hint="Give a JSON object, an array of them, or one a line (NDJSON).",
        )
    yield from entries


def _entry(place: str, item: object) -> Entry:
    # The lists of the official registry have each document beside what the registry adds to it.
    if isinstance(item, dict) and isinstance(item.get("server"), dict):
        item = item["server"]
    if not isinstance(item, dict):
        return Entry(place, None, "It is not a JSON object.")
    return Entry(place, item)
