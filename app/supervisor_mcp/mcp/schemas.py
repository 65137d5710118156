"""JSON Schemas of what tools take and answer, made from the shapes that REST describes too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from pydantic import WithJsonSchema

Schema = dict[str, Any]

REFERENCE = "#/$defs/"
LARGEST_BATCH = 10_000


def answer_schema(*shapes: type) -> Schema:
    """The schema of an answer that has one of these shapes; its root says that it is an object."""
    references, components = _components(*shapes)
    if len(references) > 1:
        return {"type": "object", "anyOf": list(references), "$defs": components}
    root = components.pop(shapes[0].__name__)
    return {**root, "$defs": components} if components else root


def item_schema(shape: type, notes: Mapping[str, str]) -> Schema:
    """The schema of an item that is sent, without references; `notes` describe its fields."""
    (reference,), components = _components(shape)
    item: Schema = _inline(reference, components)
    for field, note in notes.items():
        item["properties"][field]["description"] = note
    return item


def field_schema(item: Schema, field: str) -> WithJsonSchema:
    """The schema of a field of an item, for an argument of the same name."""
    return WithJsonSchema(item["properties"][field])


def batch_schema(item: Schema) -> WithJsonSchema:
    """The schema of the items of one call."""
    return WithJsonSchema(
        {
            "type": "array",
            "maxItems": LARGEST_BATCH,
            "items": item,
            "description": "The items, stored together or not at all unless partial is true.",
        }
    )


def _components(*shapes: type) -> tuple[tuple[Schema, ...], dict[str, Schema]]:
    references, components = msgspec.json.schema_components(
        shapes, ref_template=REFERENCE + "{name}"
    )
    for component in components.values():
        # The name of a class tells a reader nothing that its description does not.
        del component["title"]
    return references, components


def _inline(schema: Any, components: Mapping[str, Schema]) -> Any:
    if isinstance(schema, list):
        return [_inline(each, components) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inline(components[schema["$ref"].removeprefix(REFERENCE)], components)
    return {name: _inline(value, components) for name, value in schema.items()}
