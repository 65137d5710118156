"""Queries: what can be asked, declared once.

A query is a frozen Struct. Its fields are the parameters of a REST route, the arguments of a tool
and those of the SQL function of the same name; the annotations of the fields are the JSON Schema
that OpenAPI and MCP publish. Reading one checks types only. SQL checks patterns and ranges, so
that a broken rule reads the same over REST and MCP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

import msgspec
from msgspec import Struct

from supervisor_mcp.errors import Problem
from supervisor_mcp.json_text import Json
from supervisor_mcp.operations import arguments
from supervisor_mcp.operations.arguments import Reader

Schema = dict[str, Any]

# By the type of the JSON Schema that msgspec publishes; timestamps are strings of a format.
READERS: Mapping[str, Reader] = {
    "string": arguments.TEXT,
    "integer": arguments.INTEGER,
    "boolean": arguments.BOOLEAN,
    "array": arguments.LIST,
    "object": arguments.MAP,
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A field of a query: the name that clients send, its JSON Schema, and how it is read."""

    name: str
    schema: Schema
    required: bool
    reader: Reader

    @property
    def is_map(self) -> bool:
        """Whether its value is an object of texts."""
        return self.reader is arguments.MAP

    @property
    def is_timestamp(self) -> bool:
        """Whether its value is a point in time."""
        return self.reader is arguments.TIMESTAMP

    @property
    def description(self) -> str:
        """What it means, in one or two sentences."""
        return str(self.schema["description"])


class Query(Struct, frozen=True):
    """What an operation is asked for; `read` makes one from what a client sent."""

    @classmethod
    def read(cls, sent: Mapping[str, object]) -> Self:
        """Read JSON values by their names; null is an absent value. Raises `Problem`."""
        return cls._read(sent, {p.name: p.reader.from_json for p in parameters(cls)})

    @classmethod
    def parse(cls, sent: Mapping[str, str | Mapping[str, str]]) -> Self:
        """Read the same values from text, as a URL holds them. Raises `Problem`."""
        return cls._read(sent, {p.name: p.reader.from_text for p in parameters(cls)})

    def arguments(self) -> dict[str, Any]:
        """Values by the names of parameters, as the database takes them."""
        names = zip(self.__struct_fields__, self.__struct_encode_fields__, strict=True)
        return {sent: _sql_value(getattr(self, field)) for field, sent in names}

    @classmethod
    def _read(cls, sent: Mapping[str, object], readers: Mapping[str, Any]) -> Self:
        for name in sent:
            if name not in readers:
                raise unknown_parameter(name, sorted(readers))
        values = {}
        for field, parameter in zip(cls.__struct_fields__, parameters(cls), strict=True):
            value = sent.get(parameter.name)
            if value is not None:
                values[field] = readers[parameter.name](parameter.name, value)
            elif parameter.required:
                raise missing_parameter(parameter.name, parameter.schema)
        return cls(**values)


@cache
def parameters(query: type[Query]) -> tuple[Parameter, ...]:
    """The parameters of a query in their order."""
    _, components = msgspec.json.schema_components([query])
    schema = components[query.__name__]
    required = schema.get("required", ())
    return tuple(
        _parameter(name, described, required=name in required)
        for name, described in schema["properties"].items()
    )


def missing_parameter(name: str, schema: Schema) -> Problem:
    """The problem of a required parameter that was not sent."""
    example = next(iter(schema.get("examples", ())), None)
    such_as = f", such as {example}" if isinstance(example, str) else ""
    return Problem(
        "parameter_required",
        f'parameter "{name}" is missing',
        hint=f'Send "{name}"{such_as}. {schema["description"]}',
        params={"field": name},
    )


def unknown_parameter(name: str, known: list[str]) -> Problem:
    """The problem of a parameter that a query does not have."""
    return Problem(
        "parameter_known",
        f'unknown parameter "{name[: arguments.LONGEST_NAME]}"',
        hint=arguments.known_names(name, known, "parameter"),
        params={"field": name[: arguments.LONGEST_NAME], "known": known},
    )


def _parameter(name: str, described: Schema, *, required: bool) -> Parameter:
    # An absent value is left out, so null is not part of what clients are shown.
    schema = {n: v for n, v in described.items() if n != "anyOf" and (n, v) != ("default", None)}
    for alternative in described.get("anyOf", ()):
        if alternative != {"type": "null"}:
            schema = {**alternative, **schema}
    if schema.get("format") == "date-time":
        reader = arguments.TIMESTAMP
    elif schema.get("items", {}).get("type") == "object":
        reader = arguments.OBJECTS
    elif schema.get("type") == "object" and not isinstance(
        schema.get("additionalProperties"), dict
    ):
        reader = arguments.OBJECT
    else:
        reader = READERS[schema.setdefault("type", "string")]
    return Parameter(name, {**schema, **reader.schema}, required, reader)


def _sql_value(value: object) -> object:
    if isinstance(value, dict | list):
        return Json(msgspec.json.encode(value))
    return list(value) if isinstance(value, tuple) else value
