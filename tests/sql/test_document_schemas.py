"""A document fits its schema in SQL exactly where a JSON Schema validator says so."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from psycopg import Connection

from supervisor_mcp.operations.documents import SCHEMAS
from tests.sql.alert_rules import CONDITIONS, rule
from tests.sql.calls import ask
from tests.sql.registry import NAME
from tests.sql.test_define_alert_rule import SETTINGS as MEMBERS
from tests.sql.test_register_server import CAPABILITIES, FULL, SETTINGS

# Documents that keep every rule, by the names of their schemas.
SOUND: dict[str, list[Any]] = {
    "server": [{"name": NAME, **FULL, **SETTINGS, "capabilities": CAPABILITIES}],
    "alert_rule": [rule(each, **MEMBERS) for each in CONDITIONS.values()],
    "subscription": [
        {
            "name": "policy",
            "type": "webhook",
            "author": "ann",
            "url": "https://policy.example/hook",
            "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "alerts": {
                "matchers": [{"name": "severity", "operator": "=~", "value": "critical|warning"}],
                "group_by": ["source"],
                "group_wait": "30s",
                "group_interval": "5m",
                "repeat_interval": "4h",
            },
            "facts": {"kinds": ["Fact:Sale"], "sources": ["shop-mcp"]},
            "enabled": True,
        }
    ],
}
VALIDATORS = {name: Draft202012Validator(SCHEMAS[name]) for name in SOUND}
FAULTS = "select count(*) from internal.schema_faults(%s::jsonb, internal.{}_schema())"

# Without line feeds: a $ of Python matches before the last one.
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\n\0"), max_size=110)
KNOWN_TEXTS = st.sampled_from(
    [
        *("active", "sse", "stdio", "named", "positional", "latest", "1.x", "^1", "1.0", "a/b"),
        *("metric", "fact", "burn_rate", "avg", "absent", "source", "5m", "Fact:Sale", ">", "down"),
        *("https://a.example", "{x}/mcp", "http://:1/", "any", "48x48", "image/png", "", " "),
    ]
)
SCALARS = (
    TEXTS | KNOWN_TEXTS | st.none() | st.booleans() | st.integers(-5, 90000) | st.floats(-5, 105)
)
KEYS = st.sampled_from(
    [
        *("type", "url", "name", "value", "valueHint", "version", "isRequired", "variables"),
        *("kind", "where", "labels", "source", "during", "after", "a b", "more"),
    ]
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
def documents(draw: st.DrawFn) -> tuple[str, Any]:
    """A sound document with up to three members replaced, removed or added, and its kind."""
    name = draw(st.sampled_from(sorted(SOUND)))
    document = copy.deepcopy(draw(st.sampled_from(SOUND[name])))
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
    return name, document


@settings(
    max_examples=170, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(named=documents())
def test_sql_and_a_validator_agree_on_every_document(
    db: Connection, named: tuple[str, Any]
) -> None:
    name, document = named
    faults = ask(db, FAULTS.format(name), json.dumps(document))
    errors = [error.message for error in VALIDATORS[name].iter_errors(document)]
    assert (faults == 0) == (errors == []), (faults, errors)


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schema_is_a_json_schema_without_references(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    assert "$ref" not in json.dumps(SCHEMAS[name])
