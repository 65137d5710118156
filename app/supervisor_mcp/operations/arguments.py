"""Arguments that several queries take, and how one value is read from JSON or from text.

Readers check types and nothing else. All raise `Problem`.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from supervisor_mcp.errors import Problem
from supervisor_mcp.operations import text_rules

# PostgreSQL has no offsets of 16 hours or more, and neither has any place.
RFC_3339 = re.compile(
    "[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?"
    "([Zz]|[+-](0[0-9]|1[0-5]):[0-5][0-9])"
)
EPOCH = re.compile(r"-?\d{1,19}(\.\d{1,30})?([eE][+-]?\d{1,3})?", re.ASCII)
INTEGER_TEXT = re.compile(r"-?\d{1,9}", re.ASCII)
# From 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z.
LAST_SECOND = 253_402_300_799
FIRST_SECOND = -62_135_596_800
TIMESTAMP_RULE = {
    "format": "date-time",
    "pattern": f"^{RFC_3339.pattern}$",
    "minimum": FIRST_SECOND,
    "maximum": LAST_SECOND,
}
LONGEST_SHOWN = 100
# Names of parameters are short; those of labels, after `labels.`, may have 100 characters.
LONGEST_NAME = 120
TIMESTAMP_HINT = "Send RFC 3339 with an offset, such as 2026-03-01T12:00:00Z, or epoch seconds."

LARGEST_PAGE = 1000
Source = Annotated[str | None, Meta(description="Only this source, by its exact name.")]
Window = Annotated[
    str,
    Meta(
        description="How far back from now.",
        extra_json_schema={**text_rules.WINDOW, "examples": ["24h", "7d", "30d"]},
    ),
]
Limit = (
    Annotated[
        int,
        Meta(
            description="At most.",
            extra_json_schema={"minimum": 1, "maximum": LARGEST_PAGE, "default": 100},
        ),
    ]
    | None
)
Cursor = Annotated[
    str | None,
    Meta(
        description="The last next_cursor.",
        extra_json_schema=text_rules.CURSOR,
    ),
]
LastEventId = Annotated[
    str | None,
    Meta(
        description="id of the last event that was received: what comes after it is sent."
        " Without it, the stream starts with what comes next."
    ),
]
Timestamp = Annotated[datetime, Meta(tz=True)]
From = Annotated[Timestamp | None, Meta(description="Start, included.")]
To = Annotated[Timestamp | None, Meta(description="End, not included.")]


@dataclass(frozen=True, slots=True)
class Reader:
    """How a value of one type is read; `schema` replaces what msgspec publishes for the type."""

    from_json: Callable[[str, Any], Any]
    from_text: Callable[[str, Any], Any]
    schema: Mapping[str, Any] = field(default_factory=dict)


def malformed(name: str, wanted: str, sent: object, hint: str) -> Problem:
    """The problem of a value that cannot be read."""
    return Problem(
        "parameter_well_formed",
        f'parameter "{name[:LONGEST_NAME]}" must be {wanted}, not {shown(sent)}',
        hint=hint,
        params={"field": name[:LONGEST_NAME]},
    )


def shown(sent: object) -> str:
    """A JSON value as an error names it: its type, and its text where that is short."""
    if isinstance(sent, list | dict):
        return "an array" if isinstance(sent, list) else "an object"
    text = json.dumps(sent, ensure_ascii=not _encodable(sent))
    kind = {bool: "the boolean", int: "the number", float: "the number", str: "the string"}
    shortened = text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
    return f"{kind.get(type(sent), 'the value')} {shortened}"


def known_names(sent: str, known: Sequence[str], noun: str) -> str:
    """The hint of a name that is not known: the nearest one that is, and all of them."""
    if not known:
        return f"No {noun}s are accepted here."
    listed = f"Known {noun}s: {', '.join(known)}."
    nearest = difflib.get_close_matches(sent[:LONGEST_SHOWN], known, 1)
    return f'Did you mean "{nearest[0]}"? {listed}' if nearest else listed


def text(name: str, value: object) -> str:
    """A text that the database can hold."""
    if not isinstance(value, str):
        raise malformed(name, "a string", value, "Send it in quotation marks.")
    if "\0" in value or not _encodable(value):
        raise Problem(
            "parameter_well_formed",
            f'parameter "{name[:LONGEST_NAME]}" contains U+0000 or an unpaired surrogate',
            hint="Send text without these characters.",
            params={"field": name[:LONGEST_NAME]},
        )
    return value


def timestamp(name: str, value: object) -> datetime:
    """A point in time: RFC 3339 with an offset, or epoch seconds."""
    # What is neither text nor a number is written like neither.
    sent = str(value)
    try:
        if RFC_3339.fullmatch(sent):
            # Raises where the offset leads out of the years 1 to 9999.
            return datetime.fromisoformat(sent).astimezone(UTC)
        if EPOCH.fullmatch(sent) and FIRST_SECOND <= float(sent) <= LAST_SECOND:
            return datetime.fromtimestamp(float(sent), UTC)
    except (ValueError, OverflowError):
        pass
    raise malformed(name, "a timestamp", value, _seconds_hint(sent) or TIMESTAMP_HINT)


def _seconds_hint(sent: str) -> str | None:
    """The hint for epoch milliseconds, microseconds or nanoseconds."""
    if not EPOCH.fullmatch(sent):
        return None
    for unit, factor in (("milli", 10**3), ("micro", 10**6), ("nano", 10**9)):
        if abs(float(sent)) <= LAST_SECOND * factor:
            return f"This looks like epoch {unit}seconds: divide it by {factor} to send seconds."
    return None


def integer(name: str, value: object) -> int:
    """A whole number; as in JSON Schema, 5.0 is one."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**9:
        return value
    hint = "Send a whole number of at most nine digits, such as 100."
    if isinstance(value, str) and INTEGER_TEXT.fullmatch(value):
        hint = f"Send the number {value} without quotation marks."
    raise malformed(name, "an integer", value, hint)


def _integer_text(name: str, value: str) -> int:
    if not INTEGER_TEXT.fullmatch(value):
        raise malformed(name, "an integer", value, "Send at most nine digits, such as 100.")
    return int(value)


def boolean(name: str, value: object) -> bool:
    """true or false."""
    if isinstance(value, bool):
        return value
    raise malformed(name, "a boolean", value, "Send true or false without quotation marks.")


def _boolean_text(name: str, value: str) -> bool:
    if value not in {"true", "false"}:
        raise malformed(name, "true or false", value, "Send true or false.")
    return value == "true"


def _list(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise malformed(
            name, "an array of strings", value, f'Send an array, such as ["{shown_item(value)}"].'
        )
    return tuple(text(f"{name}[{place}]", item) for place, item in enumerate(value))


def shown_item(value: object) -> str:
    """A text for the example in a hint."""
    return value[:LONGEST_SHOWN] if isinstance(value, str) and value.isidentifier() else "count"


def _list_text(name: str, value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text(name, value).split(","))


def _map(name: str, value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise malformed(
            name, "an object", value, 'Send an object of strings, such as {"region": "eu"}.'
        )
    return {text(f"{name}.{key}", key): text(f"{name}.{key}", item) for key, item in value.items()}


def _objects(name: str, value: object) -> list[Any]:
    """An array of objects, whose members SQL checks; only their texts are read."""
    if not isinstance(value, list):
        raise malformed(name, "an array of objects", value, "Send an array, in [].")
    _check_texts(name, value)
    return value


def _object(name: str, value: object) -> dict[str, Any]:
    """An object, whose members SQL checks; only their texts are read."""
    if not isinstance(value, dict):
        raise malformed(name, "an object", value, "Send an object, in {}.")
    _check_texts(name, value)
    return value


def _check_texts(name: str, value: object) -> None:
    if isinstance(value, list):
        for place, item in enumerate(value):
            _check_texts(f"{name}[{place}]", item)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_texts(f"{name}.{text(name, key)}", item)
    elif isinstance(value, str):
        text(name, value)


def _objects_text(name: str, value: str) -> list[Any]:
    raise malformed(name, "an array of objects", value, "Send it in the body, as JSON.")


def _object_text(name: str, value: str) -> dict[str, Any]:
    raise malformed(name, "an object", value, "Send it in the body, as JSON.")


def _encodable(value: object) -> bool:
    try:
        msgspec.json.encode(value)
    except (UnicodeEncodeError, TypeError, msgspec.MsgspecError, OverflowError, RecursionError):
        return False
    return True


TEXT = Reader(text, text)
INTEGER = Reader(integer, _integer_text)
BOOLEAN = Reader(boolean, _boolean_text)
LIST = Reader(_list, _list_text)
OBJECT = Reader(_object, _object_text)
OBJECTS = Reader(_objects, _objects_text)
MAP = Reader(_map, _map)
TIMESTAMP = Reader(
    timestamp,
    timestamp,
    {"type": ["string", "number"], **TIMESTAMP_RULE},
)
