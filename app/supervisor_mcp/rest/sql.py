"""POST /query/sql: a question in SQL."""

from __future__ import annotations

from falcon.asgi import Request, Response

from supervisor_mcp.operations.sql import Rows, SqlQuery, query_sql
from supervisor_mcp.rest.operation import JSON, Operation, Resource, send_json


class SqlResource(Resource):
    """Runs a statement."""

    path = "/query/sql"
    operation = Operation(
        "query_sql", "Ask in SQL", SqlQuery, {JSON: Rows}, method="post", problems=(413, 415, 501)
    )

    async def on_post(self, req: Request, resp: Response) -> None:
        """Answer with the rows of the statement."""
        send_json(resp, await query_sql(self._context, await self.operation.read_body(req)))
