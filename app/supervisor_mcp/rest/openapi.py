"""GET /openapi.json: OpenAPI 3.1 from the declared parameters and the types of the operations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from falcon.asgi import Request, Response

from supervisor_mcp.operations.aggregates import Aggregate, Aggregates
from supervisor_mcp.operations.batches import Receipt
from supervisor_mcp.operations.facts import FactItem, FactPage
from supervisor_mcp.operations.kinds import KindPage
from supervisor_mcp.operations.metrics import MetricItem, SeriesResult
from supervisor_mcp.operations.state import Readiness
from supervisor_mcp.rest.parameters import Parameter, Parameters
from supervisor_mcp.rest.problems import MEDIA_TYPE as PROBLEM

JSON = "application/json"
NDJSON = "application/x-ndjson"
TYPES = (
    Aggregate,
    Aggregates,
    FactItem,
    FactPage,
    KindPage,
    MetricItem,
    Readiness,
    Receipt,
    SeriesResult,
)
PROBLEM_SCHEMA: Mapping[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457. params names what to mend: a field, or every bad item by its index.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "pattern": "^urn:supervisor-mcp:problem:[a-z0-9_]+$"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "hint": {"type": "string"},
        "params": {"type": "object"},
        "request_id": {"type": "string"},
    },
}
IDEMPOTENCY_KEY: Mapping[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A request repeated with the same key and body gets its first receipt.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
}


@dataclass(frozen=True)
class Operation:
    """What a method of a path does; `item` is the type of what is sent, if anything."""

    operation_id: str
    method: str
    summary: str
    answers: Mapping[str, Mapping[str, Any]]
    parameters: Parameters
    item: type | None = None


def ref(name: str) -> dict[str, str]:
    """A reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def document(operations: Mapping[str, Operation], version: str) -> dict[str, Any]:
    """The OpenAPI document for operations by their paths."""
    _, schemas = msgspec.json.schema_components(TYPES, ref_template="#/components/schemas/{name}")
    return {
        "openapi": "3.1.0",
        "info": {"title": "Supervisor MCP", "version": version},
        "paths": {path: {o.method: _operation(o)} for path, o in operations.items()},
        "components": {"schemas": {**schemas, "Problem": PROBLEM_SCHEMA}},
    }


class OpenApiResource:
    """The document, made once."""

    parameters = Parameters()

    def __init__(self, operations: Mapping[str, Operation], version: str) -> None:
        self._answer = msgspec.json.encode(document(operations, version))

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with the document."""
        self.parameters.read(req.query_string)
        resp.data = self._answer


def _operation(operation: Operation) -> dict[str, Any]:
    parameters = [_parameter(known) for known in operation.parameters.known]
    if operation.parameters.labels:
        parameters.append(_labels())
    described: dict[str, Any] = {
        "operationId": operation.operation_id,
        "summary": operation.summary,
        "parameters": parameters,
        "responses": {
            "200": {
                "description": "Done.",
                "content": {
                    media_type: {"schema": schema}
                    for media_type, schema in operation.answers.items()
                },
            },
            "default": {
                "description": "A problem.",
                "content": {PROBLEM: {"schema": ref("Problem")}},
            },
        },
    }
    if operation.item is not None:
        item = ref(operation.item.__name__)
        described["parameters"] = [*parameters, IDEMPOTENCY_KEY]
        described["requestBody"] = {
            "required": True,
            "description": "At most 10,000 items and 8 MiB; may be sent with gzip.",
            "content": {
                JSON: {
                    "schema": {"anyOf": [{"type": "array", "maxItems": 10000, "items": item}, item]}
                },
                NDJSON: {"schema": item},
            },
        }
    return described


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": "query",
        "description": parameter.description,
        "required": parameter.required,
        "schema": parameter.schema,
    }


def _labels() -> dict[str, Any]:
    """`label.<name>=value`: the members of an exploded object stand in the query by themselves."""
    return {
        "name": "labels",
        "in": "query",
        "style": "form",
        "explode": True,
        "description": "Only series with these labels: label.<name>=value, once for every name.",
        "schema": {
            "type": "object",
            "patternProperties": {"^label\\..+$": {"type": "string"}},
            "additionalProperties": False,
        },
    }
