"""Tools whose body is an operation: finished JSON out, problems where it cannot be given."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Self

from fastmcp.exceptions import ValidationError
from fastmcp.tools.base import ToolResult
from fastmcp.tools.function_tool import FunctionTool
from mcp_types import ToolAnnotations
from pydantic import ValidationError as ArgumentsError
from pydantic_core import PydanticSerializationError

from supervisor_mcp.errors import Problem, internal
from supervisor_mcp.mcp.answers import answered
from supervisor_mcp.mcp.problems import current_request_id, failed, from_arguments, too_deep
from supervisor_mcp.mcp.schemas import answer_schema

logger = logging.getLogger(__name__)

Body = Callable[..., Awaitable[bytes]]


class OperationTool(FunctionTool):
    """A tool made from a function of the same name that returns JSON bytes or raises `Problem`."""

    @classmethod
    def reading(cls, body: Body, title: str, *shapes: type) -> Self:
        """A tool that changes nothing; it answers with one of the shapes."""
        return cls._made(body, title, shapes, read_only=True)

    @classmethod
    def storing(cls, body: Body, title: str, *shapes: type) -> Self:
        """A tool that adds rows and never changes or removes any."""
        return cls._made(body, title, shapes, read_only=False)

    async def run(self, arguments: dict[str, Any]) -> ToolResult:
        """Call the operation; whatever goes wrong is told as a problem, and nothing else is."""
        try:
            return await super().run(arguments)
        except Exception as error:
            return self._told(error)

    def convert_result(self, raw_value: Any) -> ToolResult:
        """The answer of the operation as text and as structured content."""
        return answered(raw_value)

    def _told(self, error: Exception) -> ToolResult:
        request_id = current_request_id()
        problem = self._problem(error)
        if problem is None:
            logger.error("%s failed, request_id %s", self.name, request_id, exc_info=error)
            problem = internal()
        return failed(problem, request_id)

    def _problem(self, error: Exception) -> Problem | None:
        if isinstance(error, Problem):
            return error
        if isinstance(error, ValidationError) and isinstance(error.__cause__, ArgumentsError):
            return from_arguments(error.__cause__, self.parameters)
        if isinstance(error, PydanticSerializationError | RecursionError):
            return too_deep()
        return None

    @classmethod
    def _made(cls, body: Body, title: str, shapes: tuple[type, ...], *, read_only: bool) -> Self:
        tool = cls.from_function(
            body,
            title=title,
            output_schema=answer_schema(*shapes),
            annotations=ToolAnnotations(
                title=title,
                read_only_hint=read_only,
                destructive_hint=False,
                idempotent_hint=read_only,
                open_world_hint=False,
            ),
        )
        assert isinstance(tool, cls)  # noqa: S101
        for schema in tool.parameters["properties"].values():
            # An absent argument is left out; null is no value that a schema here admits.
            if schema.get("default", ...) is None:
                del schema["default"]
        return tool
