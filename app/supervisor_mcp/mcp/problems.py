"""Problems in MCP: the object that REST answers with, as the text of an error."""

from __future__ import annotations

from uuid import uuid4

import msgspec
from fastmcp.server.dependencies import get_http_request
from fastmcp.tools.base import ToolResult
from mcp import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS, TextContent

from supervisor_mcp.errors import Problem
from supervisor_mcp.mcp.answers import LARGEST_BYTES, with_fewer_rejections


def current_request_id() -> str:
    """The id of the HTTP request, as the header of its response names it; else a new one."""
    try:
        known: str = get_http_request().scope["supervisor.request_id"]
    except (RuntimeError, KeyError):
        return uuid4().hex
    return known


def failed(problem: Problem, request_id: str) -> ToolResult:
    """The result of a call that failed."""
    body = problem.body(request_id)
    encoded = msgspec.json.encode(body)
    if len(encoded) > LARGEST_BYTES:
        params = with_fewer_rejections(body["params"], "items", len(encoded))
        encoded = msgspec.json.encode({**body, "params": params})
    text = encoded.decode()
    return ToolResult(content=[TextContent(type="text", text=text)], is_error=True)


def protocol_error(problem: Problem, request_id: str) -> MCPError:
    """The error of a resource or completion, which have no error results; data is the problem."""
    code = INTERNAL_ERROR if problem.status >= 500 else INVALID_PARAMS
    return MCPError(code=code, message=problem.detail, data=problem.body(request_id))


def too_deep() -> Problem:
    """The problem of arguments that are nested too deeply to read."""
    return Problem(
        "json_too_deep",
        "objects and arrays are nested more than 200 levels deep",
        hint="Flatten the payload.",
    )
