"""POST /ingest/metrics, POST /ingest/facts."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from typing import Protocol

from falcon.asgi import Request, Response

from supervisor_mcp.operations.arguments import flag
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.rest.bodies import read_document
from supervisor_mcp.rest.parameters import Parameter, Parameters


class Store(Protocol):
    """`ingest_metrics` or `ingest_facts`."""

    def __call__(
        self,
        context: Context,
        document: bytes,
        *,
        partial: bool,
        idempotency_key: str | None,
        now: datetime,
    ) -> Awaitable[bytes]:
        """Store a document; the receipt."""
        ...


class IngestResource:
    """Takes items and answers with a receipt once they are committed."""

    parameters = Parameters(
        Parameter(
            "partial",
            "true stores the good items and returns the bad ones.",
            {"type": "boolean", "default": False},
        )
    )

    def __init__(self, context: Context, clock: Clock, store: Store) -> None:
        self._context = context
        self._clock = clock
        self._store = store

    async def on_post(self, req: Request, resp: Response) -> None:
        """Store the items of the body."""
        sent = self.parameters.read(req.query_string)
        partial = flag("partial", sent.get("partial"))
        document = await read_document(req)
        resp.data = await self._store(
            self._context,
            document,
            partial=partial,
            idempotency_key=req.get_header("Idempotency-Key"),
            now=self._clock(),
        )
