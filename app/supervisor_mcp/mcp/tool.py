"""Tools whose body is an operation: finished JSON or a problem."""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Annotated, Any, Self, TypeVar, cast

from fastmcp.tools.base import Tool, ToolResult
from mcp_types import Tool as MCPTool
from mcp_types import ToolAnnotations
from msgspec import Struct
from pydantic import Field

from supervisor_mcp.errors import Problem, internal
from supervisor_mcp.identity import Scope
from supervisor_mcp.mcp.answers import answered, answered_again
from supervisor_mcp.mcp.problems import current_request_id, failed, too_deep
from supervisor_mcp.mcp.schemas import Schema, answer_schema, document_input_schema, input_schema
from supervisor_mcp.operations.query import Query, parameters
from supervisor_mcp.operations.scopes import require, scope_of

logger = logging.getLogger(__name__)

# Hints that have the protocol's default, or mean nothing for a tool that reads, are left out.
READING = ToolAnnotations(read_only_hint=True)
STORING = ToolAnnotations(read_only_hint=False, destructive_hint=False)
# Done again, it changes nothing; what it replaces stays in the history.
REPLACING = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True)
REMOVING = ToolAnnotations(read_only_hint=False, idempotent_hint=True)

# 512 questions are kept, which must stay small.
LONGEST_KEPT = 200

Asked = TypeVar("Asked", bound=Query)
Call = Callable[[dict[str, Any]], Awaitable[bytes]]


class OperationTool(Tool):
    """A tool that answers with JSON bytes or fails with a `Problem`.

    Its name and description are the name and docstring of a function.
    """

    call: Annotated[Call, Field(exclude=True)]
    scope: Annotated[Scope, Field(exclude=True)]

    @classmethod
    def asking(
        cls,
        operation: Callable[[Asked], Awaitable[bytes]],
        query: type[Asked],
        *shapes: type[Struct],
        hints: ToolAnnotations = READING,
    ) -> Self:
        """A tool that takes a query and answers with one of the shapes."""

        async def call(arguments: dict[str, Any]) -> bytes:
            return await operation(_read(query, arguments))

        schema = input_schema(query)
        return cls.made(operation, call, schema, *shapes, hints=hints)

    @classmethod
    def taking(
        cls,
        operation: Callable[[Asked, bytes], Awaitable[bytes]],
        query: type[Asked],
        document: Schema,
        *shapes: type[Struct],
        hints: ToolAnnotations = REPLACING,
    ) -> Self:
        """A tool that takes a query and a document with a JSON Schema.

        Its arguments are the members of both.
        """
        schema = document_input_schema(query, document)
        asked = {parameter.name for parameter in parameters(query)}

        async def call(arguments: dict[str, Any]) -> bytes:
            given = {n: value for n, value in arguments.items() if n in asked}
            sent = {n: v for n, v in arguments.items() if n not in asked and v is not None}
            return await operation(query.read(given), as_json(sent))

        return cls.made(operation, call, schema, *shapes, hints=hints)

    @classmethod
    def made(
        cls,
        operation: Callable[..., Any],
        call: Call,
        taken: Schema,
        *shapes: type[Struct],
        hints: ToolAnnotations,
    ) -> Self:
        """A tool that does what `call` does; `taken` is its input schema."""
        return cls(
            name=operation.__name__,
            description=inspect.getdoc(operation),
            call=call,
            parameters=taken,
            output_schema=answer_schema(*shapes),
            annotations=hints,
            scope=scope_of(operation.__name__, reads=hints is READING),
        )

    async def run(self, arguments: dict[str, Any]) -> ToolResult:
        """Call the operation; any failure becomes a problem."""
        try:
            require(self.scope)
            answer = await self.call(arguments)
            # Other answers may hold a secret, such as a new key: they are not kept.
            return answered_again(answer) if self.scope == "read" else answered(answer)
        except Problem as problem:
            return failed(problem, current_request_id())
        except RecursionError:
            return failed(too_deep(), current_request_id())
        except Exception:
            request_id = current_request_id()
            logger.exception("%s failed, request_id %s", self.name, request_id)
            return failed(internal(), request_id)

    def to_mcp_tool(self, **overrides: Any) -> MCPTool:
        """The tool as it is listed, without the empty `_meta` that the library would add."""
        return super().to_mcp_tool(**{"_meta": None, **overrides})


def _read(query: type[Asked], arguments: dict[str, Any]) -> Asked:
    """Read a query; one of a few short texts is kept, as agents repeat their questions."""
    # Texts only: 1 and true would be one key.
    if all(type(value) is str and len(value) <= LONGEST_KEPT for value in arguments.values()):
        return cast("Asked", _read_texts(query, tuple(arguments.items())))
    return query.read(arguments)


@lru_cache(maxsize=512)
def _read_texts(query: type[Query], arguments: tuple[tuple[str, str], ...]) -> Query:
    return query.read(dict(arguments))


def as_json(sent: Any) -> bytes:
    """What was sent as JSON again.

    NaN and unpaired surrogates, which Python's parser accepts, stay in it for the operation to
    refuse.
    """
    return json.dumps(sent, separators=(",", ":")).encode()
