"""Arguments as they come from a URL, a tool call or a command line, read in one way for all.

What SQL checks (windows, steps, ranges, names) is left to SQL. All raise `Problem`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from supervisor_mcp.errors import Problem

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
EPOCH = re.compile(r"-?\d{1,12}(\.\d{1,9})?", re.ASCII)
WHOLE = re.compile(r"-?\d{1,9}", re.ASCII)


def malformed(field: str, detail: str, hint: str) -> Problem:
    """The problem of an argument that cannot be read."""
    return Problem("parameter_well_formed", detail, hint=hint, params={"field": field})


def required(field: str, value: str | None, hint: str) -> str:
    """The text of an argument that must be there."""
    if value is None:
        raise Problem(
            "parameter_required", f"{field} is missing.", hint=hint, params={"field": field}
        )
    return text(field, value)


def text(field: str, value: str) -> str:
    """A text that the database can hold."""
    if "\0" in value or not _is_unicode(value):
        raise malformed(
            field,
            f"{field} holds U+0000 or half of a surrogate pair.",
            "Send text without these characters.",
        )
    return value


def optional(field: str, value: str | None) -> str | None:
    """The same for an argument that may be absent."""
    return None if value is None else text(field, value)


def instant(field: str, value: str | float | None) -> datetime | None:
    """An instant: RFC 3339 with its offset, or epoch seconds."""
    if value is None:
        return None
    sent = str(value)
    try:
        if RFC_3339.fullmatch(sent):
            return datetime.fromisoformat(sent)
        if EPOCH.fullmatch(sent):
            return datetime.fromtimestamp(float(sent), UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise malformed(
        field,
        f"{field} is not an instant.",
        "Send RFC 3339 with its offset, such as 2026-03-01T12:00:00Z, or epoch seconds.",
    )


def whole(field: str, value: str | int | None) -> int | None:
    """A whole number of at most nine digits."""
    if value is None or isinstance(value, int):
        return value
    if not WHOLE.fullmatch(value):
        raise malformed(field, f"{field} is not a whole number.", "Send digits only.")
    return int(value)


def flag(field: str, value: str | None) -> bool:
    """`true` or `false`, false when absent."""
    if value not in {None, "true", "false"}:
        raise malformed(field, f"{field} is neither true nor false.", "Send true or false.")
    return value == "true"


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
