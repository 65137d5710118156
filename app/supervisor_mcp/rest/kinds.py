"""GET /query/kinds."""

from __future__ import annotations

from falcon.asgi import Request, Response

from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.kinds import KindQuery, list_kinds
from supervisor_mcp.rest.parameters import CURSOR, LIMIT, Parameter, Parameters


class KindsResource:
    """The catalogue, by name."""

    parameters = Parameters(
        Parameter(
            "type",
            "Only kinds of this type.",
            {"type": "string", "enum": ["gauge", "counter", "histogram", "fact"]},
        ),
        Parameter("prefix", "Only kinds whose name starts so."),
        LIMIT,
        CURSOR,
    )

    def __init__(self, context: Context) -> None:
        self._context = context

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer with a page."""
        query = KindQuery.read(**self.parameters.read(req.query_string))
        resp.data = await list_kinds(self._context, query)
