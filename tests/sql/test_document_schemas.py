"""A document fits its schema in SQL exactly where a JSON Schema validator says so."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from psycopg import Connection

from supervisor_mcp.operations.documents import SCHEMAS
from tests.sql.calls import ask
from tests.sql.registry import NAME
from tests.sql.test_register_server import CAPABILITIES, FULL, SETTINGS

SOUND = {"name": NAME, **FULL, **SETTINGS, "capabilities": CAPABILITIES}
VALIDATOR = Draft202012Validator(SCHEMAS["server"])
FAULTS = "select count(*) from internal.schema_faults(%s::jsonb, internal.server_schema())"

# Without line feeds: a $ of Python matches before the last one.
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\n\0"), max_size=110)
KNOWN_TEXTS = st.sampled_from(
    [
        *("active", "sse", "stdio", "named", "positional", "latest", "1.x", "^1", "1.0", "a/b"),
        *("https://a.example", "{x}/mcp", "http://:1/", "any", "48x48", "image/png", "", " "),
    ]
)
SCALARS = (
    TEXTS | KNOWN_TEXTS | st.none() | st.booleans() | st.integers(-5, 90000) | st.floats(-5, 105)
)
KEYS = st.sampled_from(
    ["type", "url", "name", "value", "valueHint", "version", "isRequired", "variables", "more"]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all members of a document."""
    members: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        members = list(value.items())
    elif isinstance(value, list):
        members = list(enumerate(value))
    below = [place for key, member in members for place in places(member, (*path, key))]
    return [(*path, key) for key, _ in members] + below


@st.composite
def documents(draw: st.DrawFn) -> Any:
    """A sound document with up to three members replaced, removed or added."""
    document = copy.deepcopy(SOUND)
    for _ in range(draw(st.integers(0, 3))):
        found = places(document)
        if not found:
            break
        *path, last = draw(st.sampled_from(found))
        holder: Any = document
        for key in path:
            holder = holder[key]
        action = draw(st.sampled_from(["replace", "remove", "add"]))
        if action == "replace":
            holder[last] = draw(VALUES)
        elif action == "remove":
            del holder[last]
        elif isinstance(holder, dict):
            holder[draw(KEYS)] = draw(VALUES)
        else:
            holder.append(draw(VALUES))
    return document


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(document=documents())
def test_sql_and_a_validator_agree_on_every_document(db: Connection, document: Any) -> None:
    faults = ask(db, FAULTS, json.dumps(document))
    errors = [error.message for error in VALIDATOR.iter_errors(document)]
    assert (faults == 0) == (errors == []), (faults, errors)


def test_the_schema_is_a_json_schema_without_references() -> None:
    Draft202012Validator.check_schema(SCHEMAS["server"])
    assert "$ref" not in json.dumps(SCHEMAS["server"])
