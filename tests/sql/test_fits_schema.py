"""What a JSON Schema says of one value, up to its edges."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.calls import Json, ask

TEXT: Json = {"type": "string"}
WHOLE: Json = {"type": "integer"}
NUMBER: Json = {"type": "number"}
LIST: Json = {"type": "array"}
OBJECT: Json = {"type": "object"}
EITHER: Json = {
    **OBJECT,
    "anyOf": [
        {"properties": {"type": {"const": "a"}}, "required": ["type", "x"]},
        {"required": ["y"]},
    ],
}


@pytest.mark.parametrize(
    ("schema", "fitting", "others"),
    [
        (TEXT, ["", "a" * 100_000], ["a" * 100_001, 1, None, True, [], {}]),
        ({**TEXT, "minLength": 2}, ["ab"], ["a", ""]),
        ({**TEXT, "maxLength": 2}, ["", "ab"], ["abc"]),
        ({**TEXT, "pattern": "^a"}, ["ab"], ["ba"]),
        ({**TEXT, "not": {"pattern": "^a"}}, ["ba"], ["ab"]),
        ({**TEXT, "enum": ["a", "b"]}, ["a", "b"], ["c", "ab"]),
        (WHOLE, [1, 1.0, -3, 0], [1.5, 1.25, "1", None]),
        (NUMBER, [1, 1.5], ["1", None]),
        ({**NUMBER, "minimum": 1}, [1, 2], [0.5]),
        ({**NUMBER, "maximum": 1}, [1, 0], [1.5]),
        ({**NUMBER, "exclusiveMinimum": 1}, [1.5], [1, 0.5]),
        ({**NUMBER, "exclusiveMaximum": 1}, [0.5], [1, 1.5]),
        ({**WHOLE, "minimum": 1, "maximum": 3}, [1, 3], [0, 4, 1.5]),
        (LIST, [[], [None] * 10_000], [[None] * 10_001, {}, "[]"]),
        ({**LIST, "minItems": 1}, [[1]], [[]]),
        ({**LIST, "maxItems": 1}, [[], [1]], [[1, 2]]),
        (OBJECT, [{}, {"a": 1}], [[], "{}", None]),
        ({**OBJECT, "maxProperties": 1}, [{}, {"a": 1}], [{"a": 1, "b": 2}]),
        (
            EITHER,
            [{"type": "a", "x": 1}, {"y": 1}, {"type": "b", "y": 1}],
            [{"type": "b", "x": 1}, {"x": 1}, {}],
        ),
        ({**EITHER, "maxProperties": 1}, [{"y": 1}], [{"type": "a", "x": 1}, {"x": 1}]),
        ({"type": "boolean"}, [True, False], [0, "true", None]),
    ],
)
def test_a_value_fits_up_to_each_edge(
    db: Connection, schema: Json, fitting: list[Any], others: list[Any]
) -> None:
    call = "select internal.fits_schema(%s, %s)"
    for value in fitting:
        assert ask(db, call, Jsonb(value), Jsonb(schema)) is True
    for value in others:
        assert ask(db, call, Jsonb(value), Jsonb(schema)) is False


def test_what_is_not_there_does_not_fit(db: Connection) -> None:
    assert ask(db, "select internal.fits_schema(null, %s)", Jsonb(TEXT)) is False
