"""Tools whose body is an operation: finished JSON or a problem."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Self, TypeVar

from fastmcp.tools.base import Tool, ToolResult
from mcp_types import ToolAnnotations
from msgspec import Struct
from pydantic import Field

from supervisor_mcp.errors import Problem, internal
from supervisor_mcp.mcp.answers import answered
from supervisor_mcp.mcp.problems import current_request_id, failed, too_deep
from supervisor_mcp.mcp.schemas import Schema, answer_schema, input_schema
from supervisor_mcp.operations.query import Query

logger = logging.getLogger(__name__)

# Hints that have the protocol's default, or mean nothing for a tool that reads, are left out.
READING = ToolAnnotations(read_only_hint=True, open_world_hint=False)
STORING = ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=False)

Asked = TypeVar("Asked", bound=Query)
Call = Callable[[dict[str, Any]], Awaitable[bytes]]


class OperationTool(Tool):
    """A tool that answers with JSON bytes or fails with a `Problem`.

    Its name and description are the name and docstring of a function.
    """

    call: Annotated[Call, Field(exclude=True)]

    @classmethod
    def reading(
        cls,
        operation: Callable[[Asked], Awaitable[bytes]],
        query: type[Asked],
        title: str,
        *shapes: type[Struct],
    ) -> Self:
        """A tool that changes nothing; it answers a query with one of the shapes."""

        async def call(arguments: dict[str, Any]) -> bytes:
            return await operation(query.read(arguments))

        return cls._made(operation, title, call, input_schema(query), shapes, read_only=True)

    @classmethod
    def storing(
        cls,
        operation: Callable[..., Any],
        title: str,
        call: Call,
        taken: Schema,
        *shapes: type[Struct],
    ) -> Self:
        """A tool that adds rows and changes or removes none; `taken` is its input schema."""
        return cls._made(operation, title, call, taken, shapes, read_only=False)

    async def run(self, arguments: dict[str, Any]) -> ToolResult:
        """Call the operation; any failure becomes a problem."""
        try:
            return answered(await self.call(arguments))
        except Problem as problem:
            return failed(problem, current_request_id())
        except RecursionError:
            return failed(too_deep(), current_request_id())
        except Exception:
            request_id = current_request_id()
            logger.exception("%s failed, request_id %s", self.name, request_id)
            return failed(internal(), request_id)

    def get_meta(self) -> dict[str, Any]:
        """Nothing: the library would add an empty list of tags to every listing."""
        return {}

    @classmethod
    def _made(
        cls,
        operation: Callable[..., Any],
        title: str,
        call: Call,
        taken: Schema,
        shapes: tuple[type[Struct], ...],
        *,
        read_only: bool,
    ) -> Self:
        return cls(
            name=operation.__name__,
            title=title,
            description=inspect.getdoc(operation),
            call=call,
            parameters=taken,
            output_schema=answer_schema(*shapes),
            annotations=READING if read_only else STORING,
        )
