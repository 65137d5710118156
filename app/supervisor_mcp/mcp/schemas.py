"""JSON Schemas of what tools take and answer, from the Structs that REST publishes in full.

A model pays for every word of them. So they say each thing once, and leave out what no call
depends on: lengths and ranges (the service reports a broken one by name), and all but the names
of the members of an answer, which the description of the tool explains and OpenAPI has in full.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec
from msgspec import Struct

from supervisor_mcp.operations.ingest import LARGEST_BATCH, IngestOptions
from supervisor_mcp.operations.query import Query, parameters

Schema = dict[str, Any]

REFERENCE = "#/$defs/"
NULL = {"type": "null"}
LEFT_OUT = {
    "title",
    "not",
    "pattern",
    "additionalProperties",
    "propertyNames",
    *("minLength", "maxLength"),
    *("minItems", "maxItems"),
    *("minProperties", "maxProperties"),
}
# Ranges that matter to a call are those of integers, such as limit.
RANGE = {"minimum", "maximum"}
# What a schema means without saying so, or what no call depends on.
DEFAULTS = (("default", None), ("minimum", 0), ("minimum", 1))


@cache
def input_schema(query: type[Query]) -> Schema:
    """The schema of the arguments of a tool that takes a query."""
    known: Any = query
    required = [parameter.name for parameter in parameters(known) if parameter.required]
    taken = {parameter.name: _taken(parameter.schema) for parameter in parameters(known)}
    return _arguments(taken, required)


def document_input_schema(query: type[Query], document: Schema) -> Schema:
    """The schema of the arguments of a tool that takes a query and a document.

    What a member of the document contains is in its description.
    """
    asked = input_schema(query)
    members = {name: _shallow(_compact(each)) for name, each in document["properties"].items()}
    required = [*asked.get("required", ()), *document["required"]]
    return _arguments({**members, **asked["properties"]}, required)


def item_input_schema(item: type[Struct]) -> Schema:
    """The schema of the arguments of a tool that stores one item: its fields are arguments."""
    fields, required = _fields(item)
    key = input_schema(IngestOptions)["properties"]["idempotency_key"]
    return _arguments({**fields, "idempotency_key": key}, required)


def batch_input_schema(item: type[Struct], about: str) -> Schema:
    """The schema of the arguments of a tool that stores many; `about` describes the items."""
    _, required = _fields(item)
    items = {
        "type": "array",
        "maxItems": LARGEST_BATCH,
        "items": {"type": "object", "required": required},
        "description": about,
    }
    options = input_schema(IngestOptions)["properties"]
    return _arguments({"items": items, **options}, ["items"])


@cache
def answer_schema(*shapes: type[Struct]) -> Schema:
    """The schema of an answer of one of these shapes: the names that all of them have."""
    always = [{f.encode_name for f in msgspec.structs.fields(s) if f.required} for s in shapes]
    common = set.intersection(*always)
    names = [f.encode_name for f in msgspec.structs.fields(shapes[0]) if f.encode_name in common]
    return {"type": "object", **({"required": names} if names else {})}


def _arguments(properties: Schema, required: list[str]) -> Schema:
    schema = {"type": "object", "properties": properties}
    return {**schema, "required": required} if required else schema


@cache
def _fields(item: type[Struct]) -> tuple[Schema, list[str]]:
    """The properties of an item, without references, and the required ones among them."""
    _, components = msgspec.json.schema_components([item], ref_template=REFERENCE + "{name}")
    short = {name: _compact(component) for name, component in components.items()}
    schema = short.pop(item.__name__)
    fields = {name: _sent(_inline(field, short)) for name, field in schema["properties"].items()}
    return fields, schema["required"]


def _sent(field: Schema) -> Schema:
    """A field without null: an absent field is left out."""
    if isinstance(field.get("type"), list) and "null" in field["type"]:
        kept = [each for each in field["type"] if each != "null"]
        field = {**field, "type": kept if len(kept) > 1 else kept[0]}
        if "enum" in field:
            field["enum"] = [each for each in field["enum"] if each is not None]
    if "anyOf" in field:
        field = {**field, "anyOf": [each for each in field["anyOf"] if each != NULL]}
    return field


def _taken(schema: Schema) -> Schema:
    """An argument; the description says what objects contain."""
    short: Schema = _compact(schema)
    nested = "properties" in short or short.get("items", {}).get("type") == "object"
    return _shallow(short) if nested else short


def _shallow(schema: Schema) -> Schema:
    """No more of a member than its type, its choices and its description."""
    kept: Schema = {n: schema[n] for n in ("type", "enum", "description") if n in schema}
    return {**kept, "items": {"type": schema["items"]["type"]}} if "items" in schema else kept


def _compact(schema: Any) -> Any:
    """The same schema in fewer words: alternatives as a list of types."""
    if not isinstance(schema, dict):
        return schema
    left_out = LEFT_OUT if schema.get("type") == "integer" else LEFT_OUT | RANGE
    short = {
        name: {key: _compact(each) for key, each in value.items()}
        if name == "properties"
        else _compact(value)
        for name, value in schema.items()
        if name not in left_out and (name, value) not in DEFAULTS
    }
    alternatives = [_compact(each) for each in short.pop("anyOf", ())]
    others = [each for each in alternatives if each != NULL]
    if not alternatives:
        return short
    if all(set(each) == {"type"} for each in others):
        return {"type": [each["type"] for each in alternatives], **short}
    only, *more = others
    if not more and "anyOf" in only and NULL in alternatives:
        return {**only, "anyOf": [*only["anyOf"], NULL], **short}
    if not more and len(alternatives) > 1 and "$ref" not in only:
        types = only.get("type", "string")
        listed = types if isinstance(types, list) else [types]
        enum = {"enum": [*only["enum"], None]} if "enum" in only else {}
        return {**only, "type": [*listed, "null"], **enum, **short}
    return {"anyOf": alternatives, **short}


def _inline(schema: Any, definitions: Schema) -> Any:
    if isinstance(schema, list):
        return [_inline(each, definitions) for each in schema]
    if not isinstance(schema, dict):
        return schema
    name = str(schema.get("$ref", "")).removeprefix(REFERENCE)
    if name in definitions:
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return _inline({**definitions[name], **rest}, definitions)
    return {key: _inline(value, definitions) for key, value in schema.items()}
