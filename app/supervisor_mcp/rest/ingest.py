"""Routes that store items."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from falcon.asgi import Request, Response
from msgspec.structs import replace

from supervisor_mcp.operations.arguments import text
from supervisor_mcp.operations.ingest import IngestOptions, Receipt
from supervisor_mcp.rest.bodies import read_items
from supervisor_mcp.rest.operation import JSON, Operation, Resource, send_json
from supervisor_mcp.rest.parameters import HEADERS


def ingest_operation(name: str, summary: str, items: type) -> Operation[IngestOptions]:
    """The operation of a route that stores items."""
    return Operation(
        name,
        summary,
        IngestOptions,
        {JSON: Receipt},
        method="post",
        items=items,
        problems=(409, 413, 415, 429),
    )


class IngestResource(Resource):
    """Stores items and answers with a receipt once they are committed."""

    operation: ClassVar[Operation[IngestOptions]]

    @abstractmethod
    async def store(self, document: bytes, options: IngestOptions) -> bytes:
        """Store a JSON document; the receipt."""

    async def on_post(self, req: Request, resp: Response) -> None:
        """Store the items of the body."""
        options = self.operation.read(req)
        key = req.get_header(HEADERS["idempotency_key"])
        if key is not None:
            options = replace(options, idempotency_key=text(HEADERS["idempotency_key"], key))
        document = await read_items(req)
        send_json(resp, await self.store(document, options))
