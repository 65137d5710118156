"""Schemas of tools are those of REST in fewer words."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from msgspec import UNSET, Meta, Struct, UnsetType, field

from supervisor_mcp.mcp import schemas
from supervisor_mcp.operations.arguments import Timestamp
from supervisor_mcp.operations.metrics import MetricItem
from supervisor_mcp.operations.query import Query


class Asked(Query, frozen=True):
    """A query with a parameter of each form."""

    window: Annotated[
        str, Meta(description="Window.", pattern="^a", min_length=1, max_length=5)
    ] = "7d"
    limit: Annotated[
        int | None,
        Meta(description="Limit.", extra_json_schema={"minimum": 1, "maximum": 9}),
    ] = None
    depth: Annotated[int | None, Meta(description="Depth.", extra_json_schema={"minimum": 2})] = (
        None
    )
    labels: Annotated[dict[str, str] | None, Meta(description="Labels.")] = None
    fields: Annotated[tuple[Literal["a", "b"], ...] | None, Meta(description="Fields.")] = None
    matchers: Annotated[
        list[dict[str, Any]] | None,
        Meta(
            description="Matchers.",
            extra_json_schema={"items": {"type": "object", "required": ["name"]}},
        ),
    ] = None
    rule: Annotated[
        dict[str, Any] | None,
        Meta(description="Rule.", extra_json_schema={"properties": {"a": {"type": "string"}}}),
    ] = None
    from_: Annotated[Timestamp | None, Meta(description="Start.")] = field(
        default=None, name="from"
    )


class Required(Query, frozen=True):
    """A query with a required parameter."""

    name: Annotated[str, Meta(description="Name.")]
    reason: Annotated[str | None, Meta(description="Reason.")] = None


class Bucket(Struct):
    """A part of an item."""

    bound: Annotated[int, Meta(ge=0)]


class Item(Struct):
    """An item."""

    name: Annotated[str, Meta(description="Name.", max_length=5)]
    value: Annotated[float | Bucket, Meta(description="Value.")]
    kind: Annotated[Literal["a", "b"], Meta(description="Kind.")] | UnsetType | None = UNSET
    note: Annotated[str, Meta(description="Note.")] | UnsetType | None = UNSET
    either: Annotated[int | str, Meta(description="Either.")] | UnsetType | None = UNSET
    buckets: Annotated[list[Bucket], Meta(description="Buckets.")] | UnsetType = UNSET


class Short(Struct):
    """An answer."""

    name: str
    from_: str = field(name="from")
    note: str | UnsetType = UNSET


class Long(Struct):
    """Another answer."""

    size: int
    from_: str = field(name="from")


class Turned(Struct):
    """An answer with the same names in another order."""

    from_: str = field(name="from")
    name: str


def test_the_arguments_of_a_query_are_its_parameters_without_bounds_of_texts() -> None:
    assert schemas.input_schema(Asked) == {
        "type": "object",
        "properties": {
            "window": {"type": "string", "description": "Window.", "default": "7d"},
            "limit": {"type": "integer", "description": "Limit.", "maximum": 9},
            "depth": {"type": "integer", "description": "Depth.", "minimum": 2},
            "labels": {"type": "object", "description": "Labels."},
            "fields": {
                "type": "array",
                "description": "Fields.",
                "items": {"enum": ["a", "b"]},
            },
            "matchers": {
                "type": "array",
                "description": "Matchers.",
                "items": {"type": "object"},
            },
            "rule": {"type": "object", "description": "Rule."},
            "from": {
                "type": ["string", "number"],
                "description": "Start.",
                "format": "date-time",
            },
        },
    }


@pytest.mark.parametrize("ts", ["2025-06-15T12:00:00Z", 1749988800, [1749988800, 1749988801.5]])
@pytest.mark.parametrize("value", [1, [1, 2.5]])
def test_a_sample_and_arrays_of_samples_fit_the_schema_of_a_metric(
    ts: object, value: object
) -> None:
    schema = schemas.item_input_schema(MetricItem)
    arguments = {"name": "cpu", "source": "web", "value": value, "ts": ts}
    Draft202012Validator(schema).validate(arguments)
    assert not Draft202012Validator(schema).is_valid({**arguments, "ts": {}})


def test_required_arguments_are_listed() -> None:
    assert schemas.input_schema(Required)["required"] == ["name"]


def test_members_of_a_document_are_arguments_without_what_they_contain() -> None:
    document = {
        "required": ["steps"],
        "properties": {
            "steps": {
                "type": "array",
                "description": "Steps.",
                "minItems": 1,
                "items": {"type": "object", "properties": {"size": {"type": "integer"}}},
            },
            "mode": {"enum": ["a", "b"], "type": "string", "title": "Mode"},
            "nested": {
                "type": "object",
                "description": "Nested.",
                "properties": {"size": {"type": "integer"}},
            },
            "unit": {"anyOf": [{"type": "string", "maxLength": 5}, {"type": "null"}]},
        },
    }
    assert schemas.document_input_schema(Required, document) == {
        "type": "object",
        "properties": {
            "steps": {"type": "array", "description": "Steps.", "items": {"type": "object"}},
            "mode": {"type": "string", "enum": ["a", "b"]},
            "nested": {"type": "object", "description": "Nested."},
            "unit": {"type": ["string", "null"]},
            "name": {"type": "string", "description": "Name."},
            "reason": {"type": "string", "description": "Reason."},
        },
        "required": ["name", "steps"],
    }


def test_the_fields_of_an_item_are_arguments_that_are_left_out_instead_of_null() -> None:
    bucket = {
        "type": "object",
        "description": "A part of an item.",
        "properties": {"bound": {"type": "integer"}},
        "required": ["bound"],
    }
    taken = schemas.item_input_schema(Item)
    assert taken["required"] == ["name", "value"]
    assert taken["properties"].pop("idempotency_key")["type"] == "string"
    assert taken["properties"] == {
        "name": {"type": "string", "description": "Name."},
        "value": {"anyOf": [{"type": "number"}, bucket], "description": "Value."},
        "kind": {"type": "string", "enum": ["a", "b"], "description": "Kind."},
        "note": {"type": "string", "description": "Note."},
        "either": {"type": ["integer", "string"], "description": "Either."},
        "buckets": {"type": "array", "description": "Buckets.", "items": bucket},
    }


def test_a_batch_holds_objects_with_what_items_require() -> None:
    taken = schemas.batch_input_schema(Item, "Items.")
    assert taken["required"] == ["items"]
    assert taken["properties"]["items"] == {
        "type": "array",
        "maxItems": 10_000,
        "items": {"type": "object", "required": ["name", "value"]},
        "description": "Items.",
    }
    assert set(taken["properties"]) == {"items", "partial", "idempotency_key"}


@pytest.mark.parametrize(
    ("shapes", "required"),
    [
        ((Short,), ["name", "from"]),
        ((Short, Long), ["from"]),
        ((Short, Turned), ["name", "from"]),
        ((Long, Short), ["from"]),
    ],
)
def test_an_answer_has_the_names_that_all_of_its_shapes_have(
    shapes: tuple[type[Struct], ...], required: list[str]
) -> None:
    assert schemas.answer_schema(*shapes) == {"type": "object", "required": required}


def test_an_answer_without_common_names_is_an_object() -> None:
    assert schemas.answer_schema(Bucket, Long) == {"type": "object"}


@pytest.mark.parametrize(
    ("make", "of"),
    [
        (schemas.input_schema, Required),
        (schemas.answer_schema, Required),
        (schemas._fields, Item),
    ],
)
def test_a_schema_is_made_once(make: Any, of: type[Struct]) -> None:
    assert make(of) is make(of)


@pytest.mark.parametrize(
    ("schema", "short"),
    [
        # Null is one of the choices, where there are some.
        (
            {"anyOf": [{"enum": ["a"]}, {"type": "null"}], "description": "d"},
            {"enum": ["a", None], "type": ["string", "null"], "description": "d"},
        ),
        (
            {"anyOf": [{"type": ["string", "number"], "format": "date-time"}, {"type": "null"}]},
            {"type": ["string", "number", "null"], "format": "date-time"},
        ),
        (
            {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string"}, {"type": "null"}]},
            {"type": ["integer", "string", "null"]},
        ),
        (
            {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]},
            {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]},
        ),
        (
            {"anyOf": [{"type": "string", "format": "a"}]},
            {"anyOf": [{"type": "string", "format": "a"}]},
        ),
        (
            {"type": "integer", "default": None, "minimum": 1, "maximum": 1},
            {"type": "integer", "maximum": 1},
        ),
        (
            {"type": "integer", "default": 0, "minimum": 2},
            {"type": "integer", "default": 0, "minimum": 2},
        ),
        ({"type": "number", "minimum": 2, "maximum": 3}, {"type": "number"}),
        # A member may be called like a keyword.
        (
            {"type": "object", "properties": {"title": {"type": "string", "title": "T"}}},
            {"type": "object", "properties": {"title": {"type": "string"}}},
        ),
    ],
)
def test_a_schema_is_said_in_fewer_words(schema: dict[str, Any], short: dict[str, Any]) -> None:
    assert schemas._compact(schema) == short


def test_references_are_replaced_at_any_depth() -> None:
    definitions = {
        "A": {"type": "object", "properties": {"b": {"$ref": "#/$defs/B"}}},
        "B": {"type": "string"},
    }
    assert schemas._inline(
        {"anyOf": [{"$ref": "#/$defs/A", "description": "d"}, 5]}, definitions
    ) == {
        "anyOf": [
            {"type": "object", "properties": {"b": {"type": "string"}}, "description": "d"},
            5,
        ]
    }
