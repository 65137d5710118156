"""Problems as MCP tells them: the object that REST answers with, as the text of an error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import msgspec
from fastmcp.server.dependencies import get_http_request
from fastmcp.tools.base import ToolResult
from mcp import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS, TextContent
from pydantic import ValidationError

from supervisor_mcp.errors import Problem


def current_request_id() -> str:
    """The id of the HTTP request that asks, as its answer's header names it; else a new one."""
    try:
        known: str = get_http_request().scope["supervisor.request_id"]
    except (RuntimeError, KeyError):
        return uuid4().hex
    return known


def failed(problem: Problem, request_id: str) -> ToolResult:
    """The result of a tool that could not do what was asked."""
    text = msgspec.json.encode(problem.body(request_id)).decode()
    return ToolResult(content=[TextContent(type="text", text=text)], is_error=True)


def protocol_error(problem: Problem, request_id: str) -> MCPError:
    """The error of a resource or completion, which have no error results; data is the problem."""
    code = INTERNAL_ERROR if problem.status >= 500 else INVALID_PARAMS
    return MCPError(code=code, message=problem.detail, data=problem.body(request_id))


def too_deep() -> Problem:
    """The problem of arguments that nothing here reads to their end."""
    return Problem(
        "json_too_deep",
        "Objects and arrays are nested more than 200 deep.",
        hint="Flatten the payload.",
    )


def from_arguments(error: ValidationError, parameters: Mapping[str, Any]) -> Problem:
    """The problem of arguments that do not fit a tool's input schema."""
    known: dict[str, Any] = parameters.get("properties", {})
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if not first["loc"]:
        return too_deep()
    field = str(first["loc"][0])
    if first["type"] == "unexpected_keyword_argument":
        names = sorted(known)
        return Problem(
            "parameter_known",
            f'There is no parameter "{field[:100]}" here.',
            hint=f"Known are {', '.join(names)}.",
            params={"field": field, "known": names},
        )
    description = known.get(field, {}).get("description", "tools/list describes every argument.")
    if first["type"].startswith("missing"):
        return Problem(
            "parameter_required", f"{field} is missing.", hint=description, params={"field": field}
        )
    return Problem(
        "parameter_well_formed",
        f"{field} cannot be read: {first['msg'][:1].lower()}{first['msg'][1:]}.",
        hint=description,
        params={"field": field},
    )
