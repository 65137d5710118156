"""Questions in SQL: one statement on the views for analysts."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from supervisor_mcp.errors import Problem
from supervisor_mcp.operations.arguments import Limit
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.query import Query


class SqlQuery(Query, frozen=True):
    """A statement, and how many rows to answer."""

    sql: Annotated[
        str,
        Meta(
            description="One SELECT on views of schema analytics.",
            extra_json_schema={"maxLength": 10_000},
        ),
    ]
    limit: Limit = None


class Rows(Struct):
    """Rows of a statement; truncated says that there are more."""

    columns: list[str]
    rows: Annotated[list[list[Any]], Meta(description="Values in the order of columns.")]
    truncated: bool


async def query_sql(context: Context, query: SqlQuery) -> bytes:
    """`Rows` as JSON. Raises `Problem`."""
    if not context.query_sql:
        raise Problem(
            "query_sql_enabled",
            "this service answers no questions in SQL",
            hint="Use query_agg, query_metrics and query_facts, or set SUPERVISOR_QUERY_SQL.",
        )
    return await context.database.query(query.sql, query.limit)


async def describe_schema(context: Context) -> bytes:
    """The views and functions that statements may use, as JSON. Raises `Problem`."""
    return await context.reads.read_json("describe_schema", {})
