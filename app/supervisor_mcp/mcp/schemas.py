"""JSON Schemas of what tools take and answer, from the Structs that REST publishes in full.

A model pays for every word of them. So they say each thing once, and leave out what no call
depends on: lengths and ranges (the service reports a broken one by name), and texts about the
members of an answer, which the description of the tool has.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
from msgspec import Struct

from supervisor_mcp.operations.ingest import LARGEST_BATCH, IngestOptions
from supervisor_mcp.operations.query import Query, parameters

Schema = dict[str, Any]

REFERENCE = "#/$defs/"
NULL = {"type": "null"}
OBJECT = {"type": "object"}
LEFT_OUT = {
    "title",
    "not",
    "propertyNames",
    *("minLength", "maxLength"),
    *("minItems", "maxItems"),
    *("minProperties", "maxProperties"),
}
# Ranges that matter to a call are those of integers, such as limit.
RANGE = {"minimum", "maximum"}
# What a schema means without saying so, or what no call depends on.
DEFAULTS = (("default", None), ("minimum", 0), ("minimum", 1), ("additionalProperties", False))
# Members with equal schemas from this number on are written as one pattern.
MANY = 5
# How many levels of objects an answer's schema describes.
DEPTH = 1


def input_schema(query: type[Query], *, chosen: bool = False) -> Schema:
    """The schema of the arguments of a tool that takes a query.

    Where they are `chosen`, also those that are required name what exists.
    """
    known: Any = query
    required = [parameter.name for parameter in parameters(known) if parameter.required]
    taken = {parameter.name: _taken(parameter.schema) for parameter in parameters(known)}
    filters = {n: _filter(each) for n, each in taken.items() if chosen or n not in required}
    return _arguments(taken | filters, required)


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
    fields, required = _fields(item)
    items = {
        "type": "array",
        "maxItems": LARGEST_BATCH,
        "items": {
            "type": "object",
            "properties": {name: _type(field) for name, field in fields.items()},
            "required": required,
        },
        "description": about,
    }
    options = input_schema(IngestOptions)["properties"]
    return _arguments({"items": items, **options}, ["items"])


def answer_schema(*shapes: type[Struct]) -> Schema:
    """The schema of an answer of one of these shapes; its root says that it is an object."""
    structs = {each.__name__: each for shape in shapes for each in _family(shape)}
    _, components = msgspec.json.schema_components(
        list(structs.values()), ref_template=REFERENCE + "{name}"
    )
    definitions = {
        name: _grouped(_inherited(structs[name], _undescribed(_compact(schema))))
        for name, schema in components.items()
    }
    if len(shapes) == 1:
        root = definitions.pop(shapes[0].__name__)
    else:
        references = [{"$ref": REFERENCE + shape.__name__} for shape in shapes]
        root = {"type": "object", "anyOf": references}
    return _with_definitions(root, definitions)


def _arguments(properties: Schema, required: list[str]) -> Schema:
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": required} if required else schema


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
    return field


def _type(field: Schema) -> Schema:
    """No more of a field than its types."""
    if "anyOf" in field:
        return {"type": [each["type"] for each in field["anyOf"]]}
    return {name: value for name, value in field.items() if name in {"type", "enum"}}


def _taken(schema: Schema) -> Schema:
    """An argument; the description says what objects contain."""
    short: Schema = _compact(schema)
    nested = "properties" in short or short.get("items", {}).get("type") == "object"
    return _shallow(short) if nested else short


def _filter(schema: Schema) -> Schema:
    """What is known already and only chosen from: its pattern helps nobody."""
    return {name: value for name, value in schema.items() if name != "pattern"}


def _shallow(schema: Schema) -> Schema:
    """No more of a member than its type, its choices and its description."""
    kept: Schema = {n: schema[n] for n in ("type", "enum", "description") if n in schema}
    return {**kept, "items": {"type": schema["items"]["type"]}} if "items" in schema else kept


def _compact(schema: Any) -> Any:
    """The same schema in fewer words: alternatives as a list of types."""
    if not isinstance(schema, dict):
        return schema
    left_out = {*LEFT_OUT, *_implied(schema)}
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
    if len(others) == 1 and len(others) < len(alternatives) and "$ref" not in others[0]:
        types = others[0].get("type", "string")
        listed = types if isinstance(types, list) else [types]
        enum = {"enum": [*others[0]["enum"], None]} if "enum" in others[0] else {}
        return {**others[0], "type": [*listed, "null"], **enum, **short}
    return {"anyOf": alternatives, **short}


def _implied(schema: Schema) -> set[str]:
    """Keywords of a schema that its other members or its description make needless."""
    implied = set() if schema.get("type") == "integer" else set(RANGE)
    # Examples and formats say more; a negated class is any text, apart from a few characters.
    if {"examples", "format"} & schema.keys() or str(schema.get("pattern")).startswith("^[^"):
        implied.add("pattern")
    return implied


def _undescribed(schema: Schema) -> Schema:
    """An answer's schema without texts, which the description of the tool replaces."""
    properties = {
        name: {key: value for key, value in member.items() if key != "description"}
        for name, member in schema["properties"].items()
    }
    return {"type": "object", "properties": properties}


def _inherited(struct: type[Struct], schema: Schema) -> Schema:
    """The schema with a reference to its base in place of the properties that it shares with it."""
    base = struct.__base__
    if base is None or base is Struct or not issubclass(base, Struct):
        return schema
    shared = {field.encode_name for field in msgspec.structs.fields(base)}
    own = {name: value for name, value in schema["properties"].items() if name not in shared}
    return {**schema, "$ref": REFERENCE + base.__name__, "properties": own}


def _grouped(schema: Schema) -> Schema:
    """The schema with one pattern for the many members that have equal schemas."""
    properties: Schema = schema["properties"]
    texts = Counter(str(value) for value in properties.values())
    text, count = texts.most_common(1)[0] if texts else ("", 0)
    names = [name for name, value in properties.items() if str(value) == text]
    if count < MANY:
        return schema
    rest = {name: value for name, value in properties.items() if name not in names}
    pattern = {f"^({'|'.join(names)})$": properties[names[0]]}
    return {**schema, "properties": rest, "patternProperties": pattern}


def _with_definitions(root: Schema, definitions: Schema) -> Schema:
    """The root with the definitions that are used more than once; the others are inlined."""
    uses = Counter(_references([root, *definitions.values()]))
    single = {name: schema for name, schema in definitions.items() if uses[name] == 1}
    kept = {n: _inline(schema, single) for n, schema in definitions.items() if uses[n] > 1}
    placed: Schema = _flat(_inline(root, single), DEPTH)
    kept = {name: _flat(schema, DEPTH) for name, schema in kept.items()}
    while unused := kept.keys() - _references([placed, *kept.values()]):
        kept = {name: schema for name, schema in kept.items() if name not in unused}
    return {**placed, "$defs": kept} if kept else placed


def _flat(schema: Any, depth: int) -> Any:
    """The schema without the members of objects that are more than `depth` levels down."""
    if isinstance(schema, list):
        return [_flat(each, depth) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if depth == 0 and schema.keys() & {"properties", "patternProperties", "$ref"}:
        return {"type": schema.get("type", "object")}
    inner = depth - 1 if "properties" in schema else depth
    flat = {
        name: {key: _flat(each, inner) for key, each in value.items()}
        if name in {"properties", "patternProperties"}
        else _flat(value, depth)
        for name, value in schema.items()
    }
    # That the items of an array are objects says nothing about them.
    return {name: each for name, each in flat.items() if (name, each) != ("items", OBJECT)}


def _references(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [name for each in schema for name in _references(each)]
    if not isinstance(schema, dict):
        return []
    own = [schema["$ref"].removeprefix(REFERENCE)] if "$ref" in schema else []
    return own + _references(list(schema.values()))


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


def _family(shape: Any) -> list[type[Struct]]:
    """A Struct, those that its fields hold, and the bases of all of them."""
    found: list[type[Struct]] = []

    def visit(kind: Any) -> None:
        if isinstance(kind, type) and issubclass(kind, Struct) and kind is not Struct:
            if kind in found:
                return
            found.append(kind)
            visit(kind.__base__)
            for field in msgspec.structs.fields(kind):
                visit(field.type)
        for argument in getattr(kind, "__args__", ()):
            visit(argument)

    visit(shape)
    return found
