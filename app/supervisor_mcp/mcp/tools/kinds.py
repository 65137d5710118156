"""The catalogue of what is measured and told."""

from __future__ import annotations

from typing import Annotated

from supervisor_mcp.mcp.arguments import Cursor, Limit, described, named
from supervisor_mcp.mcp.operation_tool import OperationTool
from supervisor_mcp.operations import kinds
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.kinds import KindPage, KindQuery


def tools(context: Context, _clock: Clock) -> list[OperationTool]:
    """list_kinds."""

    async def list_kinds(
        *,
        type_: Annotated[
            str | None,
            described(
                "Only kinds of this type.",
                {"type": "string", "enum": ["gauge", "counter", "histogram", "fact"]},
            ),
            named("type"),
        ] = None,
        prefix: Annotated[
            str | None,
            described("Only kinds whose name starts so, case as given: http_, or Fact: for facts."),
        ] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> bytes:
        """The names of everything that is measured (metrics) or told (facts), with their types.

        Call it first when you do not know the exact name of a kind: every other tool wants the
        exact name.

        Example: {"prefix": "Fact:"}

        The answer is in order of name. sources and series count who sends the kind, and with how
        many combinations of labels. Where next_cursor is not null there are more: call again with
        cursor set to it.
        """
        query = KindQuery.read(type=type_, prefix=prefix, limit=limit, cursor=cursor)
        return await kinds.list_kinds(context, query)

    return [OperationTool.reading(list_kinds, "List kinds", KindPage)]
