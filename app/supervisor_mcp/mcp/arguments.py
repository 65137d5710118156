"""Arguments that several tools take, as their schemas describe them to a model.

The schemas state what SQL checks. Python only checks that a text is a text and a number a number,
so that a broken rule is told in the same words whichever way a request came.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import Field, WithJsonSchema

Schema = Mapping[str, Any]

TEXT: Final[Schema] = {"type": "string"}
INSTANT: Final[Schema] = {
    "anyOf": [{"type": "string", "format": "date-time"}, {"type": "number"}],
    "examples": ["2026-03-01T12:00:00Z", 1772366400],
}
WINDOW: Final[Schema] = {
    "type": "string",
    "pattern": "^[1-9][0-9]{0,3}[hd]$",
    "examples": ["7d", "30d"],
}
WINDOW_TEXT: Final = "How far back from now, in hours or days: 1h, 24h, 7d, 30d, 90d."
EXACT_SOURCE: Final = "Only what this source, an MCP server or agent, sent. Exact name."


def described(description: str, schema: Schema = TEXT) -> WithJsonSchema:
    """The schema of an argument."""
    return WithJsonSchema({**schema, "description": description})


def named(name: str) -> Any:
    """The name of an argument that Python keeps for itself."""
    return Field(alias=name)


Source = Annotated[str | None, described(EXACT_SOURCE)]
Limit = Annotated[
    int,
    described(
        "How many items to answer with at most.",
        {"type": "integer", "minimum": 1, "maximum": 1000},
    ),
]
Cursor = Annotated[
    str | None,
    described("next_cursor of the answer before, unchanged: answers with the items after those."),
]
IdempotencyKey = Annotated[
    str | None,
    described(
        "A name of your own for this call, for when you may have to repeat it: a second call with"
        " the same name and items stores nothing and answers what the first one did.",
        {"type": "string", "minLength": 1, "maxLength": 200},
    ),
]
Partial = Annotated[
    bool,
    described(
        "false: one bad item refuses the whole batch. true: the good items are stored, the bad"
        " ones come back in rejected.",
        {"type": "boolean"},
    ),
]
