"""The rules of a JSON Schema that a document breaks, with their paths and sentences."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.calls import Json

TEXT: Json = {"type": "string", "maxLength": 3}
CLOSED: Json = {"type": "object", "additionalProperties": False}
LIST: Json = {"type": "array", "items": TEXT}
EITHER: Json = {
    "type": "object",
    "properties": {"x": TEXT, "y": TEXT},
    "anyOf": [{"required": ["x"]}, {"required": ["y"]}],
    "$comment": "Send x or y.",
}
KINDS: Json = {
    "oneOf": [
        {**CLOSED, "properties": {"type": {**TEXT, "enum": ["a"]}, "x": TEXT}},
        {**CLOSED, "properties": {"type": {**TEXT, "enum": ["b"]}, "y": TEXT}},
    ]
}
LONG = 'the string "aaaa". Send a string of at most 3 characters.'


def schema_faults(conn: Connection, document: Any, schema: Json) -> list[tuple[str, str, str]]:
    """Field, slug and sentence of each fault, in the order of the fields."""
    return conn.execute(
        "select * from internal.schema_faults(%s, %s) order by field, slug",
        [Jsonb(document), Jsonb(schema)],
    ).fetchall()


@pytest.mark.parametrize(
    ("document", "schema"),
    [
        ("aaa", TEXT),
        ({}, CLOSED),
        ({"a": "x"}, {**CLOSED, "properties": {"a": TEXT}}),
        ({"a": ["x", "y"]}, {**CLOSED, "properties": {"a": LIST}}),
        ({"a": 1}, {"type": "object"}),
        ({"a": 1}, {"type": "object", "additionalProperties": True}),
        ({"a": "x"}, {"type": "object", "additionalProperties": TEXT}),
        ([1, "aaaa"], {"type": "array"}),
        ({"x": "a", "y": "b"}, EITHER),
        ({"abc": 1}, {"type": "object", "propertyNames": TEXT}),
    ],
)
def test_a_document_that_keeps_every_rule_has_no_faults(
    db: Connection, document: Any, schema: Json
) -> None:
    assert schema_faults(db, document, schema) == []


@pytest.mark.parametrize(
    ("document", "schema", "expected"),
    [
        ("aaaa", TEXT, ("", "field_well_formed", f"The value is {LONG}")),
        (
            {"colour": 1},
            {**CLOSED, "properties": {"color": TEXT, "b": TEXT}},
            (
                "colour",
                "field_known",
                'Unknown field. Did you mean "color"? The fields are b, color.',
            ),
        ),
        (
            {"a": {"colour": 1}},
            {**CLOSED, "properties": {"a": {**CLOSED, "properties": {"color": TEXT}}}},
            (
                "a.colour",
                "field_known",
                'Unknown field. Did you mean "color"? The fields are color.',
            ),
        ),
        (
            {"a": ["x", "aaaa"]},
            {**CLOSED, "properties": {"a": LIST}},
            ("a[1]", "field_well_formed", f"The value is {LONG}"),
        ),
        (["aaaa"], LIST, ("[0]", "field_well_formed", f"The value is {LONG}")),
        (
            {"a": {"b": "aaaa"}},
            {**CLOSED, "properties": {"a": {"type": "object", "additionalProperties": TEXT}}},
            ("a.b", "field_well_formed", f"The value is {LONG}"),
        ),
        (
            {"a": {}},
            {**CLOSED, "properties": {"a": {**EITHER, "required": []}}},
            ("a", "field_well_formed", "Send x or y."),
        ),
        (
            {"a": 5},
            {**CLOSED, "properties": {"a": EITHER}},
            ("a", "field_well_formed", "The value is the number 5. Send an object: x or y."),
        ),
        (
            {"x": "a", "b": 1, "c": 1},
            {**EITHER, "maxProperties": 2},
            (
                "",
                "field_well_formed",
                "The value is an object. Send an object of at most 2 members: x or y.",
            ),
        ),
        (
            {"a": {}},
            {
                "type": "object",
                "properties": {
                    "a": {"type": "object", "required": ["b"], "properties": {"b": TEXT}}
                },
            },
            ("a.b", "field_required", "Send a string of at most 3 characters."),
        ),
        (
            {"a": {"long": 1}},
            {
                "type": "object",
                "properties": {"a": {"type": "object", "propertyNames": TEXT}},
            },
            (
                "a.long",
                "field_well_formed",
                'The name is the string "long". Send a string of at most 3 characters.',
            ),
        ),
        (
            {"a": {"type": "b", "x": "a"}},
            {**CLOSED, "properties": {"a": KINDS}},
            ("a.x", "field_known", "Unknown field. The fields are y, type."),
        ),
    ],
)
def test_a_broken_rule_is_named_with_its_path_and_what_to_send(
    db: Connection, document: Any, schema: Json, expected: tuple[str, str, str]
) -> None:
    assert schema_faults(db, document, schema) == [expected]


def test_paths_are_cut(db: Connection) -> None:
    keys = ["a" * 101, "b" * 101, "c" * 101]
    within: Json = {"type": "object", "additionalProperties": TEXT}
    for _ in keys:
        within = {"type": "object", "additionalProperties": within}
    document: Any = "aaaa"
    for key in (*reversed(keys), "z"):
        document = {key: document}

    ((path, *_),) = schema_faults(db, document, within)
    assert path == f"z.{'a' * 100}.{'b' * 100}.{'c' * 96}"


@pytest.mark.parametrize("name", ["d" * 101, "d"])
def test_the_path_of_a_name_that_is_refused_is_cut(db: Connection, name: str) -> None:
    names: Json = {"type": "object", "propertyNames": {"type": "string", "pattern": "^[^d]"}}
    keys = ["a" * 100, "b" * 100, "c" * 100]
    within: Json = names
    document: Json = {name: 1}
    for key in reversed(keys[:1] if len(name) > 1 else keys):
        within = {"type": "object", "properties": {key: within}}
        document = {key: document}

    ((path, *_),) = schema_faults(db, document, within)
    assert path == ".".join([*(keys[:1] if len(name) > 1 else keys), name[:100]])[:300]


def test_what_is_no_object_has_no_members_to_require(db: Connection) -> None:
    schema: Json = {"type": "object", "required": ["a"], "properties": {"a": TEXT}}

    for document in (["a"], ["b"]):
        assert [slug for _, slug, _ in schema_faults(db, document, schema)] == ["field_well_formed"]
    assert schema_faults(db, {"a": "x"}, schema) == []
