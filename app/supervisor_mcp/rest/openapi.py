"""GET /openapi.json: OpenAPI 3.1 from the operations of the routes."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, get_args

import msgspec
from falcon.asgi import Request, Response

from supervisor_mcp.operations.ingest import LARGEST_BATCH
from supervisor_mcp.operations.query import Parameter
from supervisor_mcp.rest.bodies import LIMIT_BYTES
from supervisor_mcp.rest.operation import (
    JSON,
    NDJSON,
    NoQuery,
    Operation,
    ReadRoute,
    send_json,
)
from supervisor_mcp.rest.parameters import HEADERS, spelled
from supervisor_mcp.rest.problems import MEDIA_TYPE as PROBLEM

Schema = dict[str, Any]
Operations = Sequence[tuple[str, Operation[Any]]]

REFERENCE = "#/components/schemas/{name}"
# Statuses of problems that every route can end with.
EVERYWHERE = (400, 401, 403, 405, 408, 421, 422, 431, 500, 503, 504)
RETRIED = {429, 503}
CHALLENGED = {401, 403}
# How a request says who sends it. Only OAuth has scopes in OpenAPI 3.0; since 3.1, the list of any
# scheme names what the sender needs.
SCHEMES: Schema = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A key, or a token (JWT)."},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "A key."},
}
REQUEST_ID: Schema = {
    "description": "Names the request in the log; taken from the request where it has one.",
    "schema": {"type": "string"},
}
PROBLEM_SCHEMA: Schema = {
    "title": "Problem",
    "description": "RFC 9457. params names what to correct: a field, or every bad item by index.",
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


class OpenApiResource(ReadRoute):
    """The document, made once."""

    def __init__(self, operations: Operations, version: str) -> None:
        self._answer = msgspec.json.encode(document(operations, version))

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with the document."""
        DOCUMENT.read(req)
        send_json(resp, self._answer)


DOCUMENT = Operation("openapi", "This document", NoQuery, {JSON: {"type": "object"}})


def document(operations: Operations, version: str) -> Schema:
    """The OpenAPI document for operations beside their paths."""
    statuses = sorted({*EVERYWHERE, *(s for _, o in operations for s in o.problems)})
    paths: Schema = {}
    for path, operation in operations:
        paths.setdefault(path, {})[operation.method] = _operation(path, operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Supervisor MCP",
            "version": version,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": {**_components(operations), "Problem": PROBLEM_SCHEMA},
            "responses": {f"Problem{status}": _problem(status) for status in statuses},
            "headers": {"X-Request-ID": REQUEST_ID},
            "securitySchemes": SCHEMES,
        },
    }


def _components(operations: Operations) -> Schema:
    shapes = {
        shape
        for _, operation in operations
        for answer in (*operation.answers.values(), operation.items)
        for shape in (get_args(answer) or (answer,))
        if isinstance(shape, type)
    }
    _, components = msgspec.json.schema_components(
        sorted(shapes, key=lambda shape: shape.__name__), ref_template=REFERENCE
    )
    return components


def _operation(path: str, operation: Operation[Any]) -> Schema:
    described: Schema = {
        "operationId": operation.name,
        "summary": operation.summary,
        # An operation without a scope is open.
        "security": [{scheme: [operation.scope]} for scheme in SCHEMES if operation.scope],
        "parameters": [
            _parameter(parameter, place)
            for place in ("path", "query", "header")
            for parameter in operation.placed(path, place)
        ],
        "responses": {
            "200": {
                "description": "Success.",
                "headers": {
                    "X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"},
                    **{
                        name: {"description": text, "schema": {"type": "string"}}
                        for name, text in operation.headers.items()
                    },
                },
                "content": {
                    media_type: {"schema": _schema(answer)}
                    for media_type, answer in operation.answers.items()
                },
            },
            **{
                str(status): {"$ref": f"#/components/responses/Problem{status}"}
                for status in sorted({*EVERYWHERE, *operation.problems})
            },
        },
    }
    if "ETag" in operation.headers:
        described["parameters"].append(IF_NONE_MATCH)
        described["responses"]["304"] = {"description": "The answer has not changed."}
    body = _body(path, operation)
    if body:
        described["requestBody"] = body
    return described


IF_NONE_MATCH: Schema = {
    "name": "If-None-Match",
    "in": "header",
    "description": "ETag of an earlier answer.",
    "schema": {"type": "string"},
}


def _schema(answer: Any) -> Schema:
    if isinstance(answer, dict):
        return answer
    references = [
        {"$ref": REFERENCE.format(name=shape.__name__)} for shape in get_args(answer) or (answer,)
    ]
    return references[0] if len(references) == 1 else {"anyOf": references}


def _body(path: str, operation: Operation[Any]) -> Schema | None:
    """The body of a request; None where it has none."""
    if operation.items is not None:
        item = _schema(operation.items)
        items = {"type": "array", "maxItems": LARGEST_BATCH, "items": item}
        content = {JSON: {"schema": {"anyOf": [items, item]}}, NDJSON: {"schema": item}}
        return _compressible(f"At most {LARGEST_BATCH:,} items and", content)
    if operation.document is not None:
        return _compressible("At most", {JSON: {"schema": operation.document}})
    members = operation.placed(path, "body")
    if not members:
        return None
    schema = {
        "type": "object",
        "properties": {member.name: member.schema for member in members},
        "required": [member.name for member in members if member.required],
        "additionalProperties": False,
    }
    return _compressible("At most", {JSON: {"schema": schema}})


def _compressible(limit: str, content: Schema) -> Schema:
    return {
        "required": True,
        "description": f"{limit} {LIMIT_BYTES >> 20} MiB; may be sent with Content-Encoding: gzip.",
        "content": content,
    }


def _problem(status: int) -> Schema:
    headers: Schema = {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}}
    if status in RETRIED:
        headers["Retry-After"] = {
            "description": "Seconds after which to try again.",
            "schema": {"type": "integer", "minimum": 1},
        }
    if status in CHALLENGED:
        headers["WWW-Authenticate"] = {
            "description": "Which credentials or scope the request lacks.",
            "schema": {"type": "string"},
        }
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = {
            "description": "The methods of the path.",
            "schema": {"type": "string"},
        }
    return {
        "description": HTTPStatus(status).phrase + ".",
        "headers": headers,
        "content": {PROBLEM: {"schema": {"$ref": REFERENCE.format(name="Problem")}}},
    }


def _parameter(parameter: Parameter, place: str) -> Schema:
    schema = {name: value for name, value in parameter.schema.items() if name != "description"}
    if parameter.is_map:
        return _map(parameter, schema)
    described: Schema = {
        "name": HEADERS.get(parameter.name, parameter.name),
        "in": place,
        "description": parameter.description,
        "required": parameter.required,
        "schema": schema,
    }
    if schema["type"] == "array":
        described |= {"style": "form", "explode": False}
    return described


def _map(parameter: Parameter, schema: Schema) -> Schema:
    """label.<name>=value: the members of an exploded object are parameters of their own."""
    prefix = spelled(parameter).removesuffix("<name>")
    return {
        "name": parameter.name,
        "in": "query",
        "style": "form",
        "explode": True,
        "description": f"{parameter.description} Written {spelled(parameter)}=value.",
        "schema": {
            "type": "object",
            "patternProperties": {
                f"^{prefix.replace('.', chr(92) + '.')}.+$": schema["additionalProperties"]
            },
            "additionalProperties": False,
        },
    }
