"""Kinds: the catalogue of what is measured and told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, LiteralString, Self

from msgspec import Struct

from supervisor_mcp.operations import arguments
from supervisor_mcp.operations.context import Context

QUERY: LiteralString = """
select api.list_kinds(
    p_type => %(type)s, p_prefix => %(prefix)s, p_limit => %(limit)s, p_cursor => %(cursor)s
)
"""


class Kind(Struct):
    """A metric name or a fact kind."""

    kind: str
    type: Literal["gauge", "counter", "histogram", "fact"]
    unit: str | None
    sources: int
    series: int
    created_at: str


class KindPage(Struct):
    """Kinds by name; next_cursor asks for those after, null at the end."""

    items: list[Kind]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class KindQuery:
    """What is asked of the catalogue; `read` makes one."""

    type: str | None
    prefix: str | None
    limit: int | None
    cursor: str | None

    @classmethod
    def read(
        cls,
        *,
        type: str | None = None,  # noqa: A002  the name of the parameter
        prefix: str | None = None,
        limit: str | int | None = None,
        cursor: str | None = None,
    ) -> Self:
        """Read arguments as they were sent. Raises `Problem`."""
        return cls(
            arguments.optional("type", type),
            arguments.optional("prefix", prefix),
            arguments.whole("limit", limit),
            arguments.optional("cursor", cursor),
        )


async def list_kinds(context: Context, query: KindQuery) -> bytes:
    """A `KindPage` as JSON. Raises `Problem`."""
    row = await context.database.read(
        QUERY,
        {
            "type": query.type,
            "prefix": query.prefix,
            "limit": query.limit,
            "cursor": query.cursor,
        },
    )
    return row[0]  # type: ignore[no-any-return]
