"""GET /query/facts as JSON, NDJSON or CSV, POST /ingest/facts, and GET /facts/stream."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator

import msgspec
from falcon.asgi import Request, Response
from msgspec import Raw, Struct
from msgspec.structs import replace

from supervisor_mcp.errors import Problem
from supervisor_mcp.operations.arguments import LARGEST_PAGE
from supervisor_mcp.operations.facts import (
    Fact,
    FactItem,
    FactPage,
    FactQuery,
    FactStreamQuery,
    ingest_facts,
    query_facts,
    stream_facts,
)
from supervisor_mcp.operations.ingest import IngestOptions
from supervisor_mcp.operations.streams import Messages
from supervisor_mcp.rest.ingest import IngestResource, ingest_operation
from supervisor_mcp.rest.operation import (
    CSV,
    JSON,
    NDJSON,
    Operation,
    ReadResource,
    send_json,
)
from supervisor_mcp.rest.streams import EVENTS, StreamResource

# The first one wins among equals, as with Accept: */*.
MEDIA_TYPES = (JSON, NDJSON, CSV)
COLUMNS = ("ts", "kind", "source", "fact_id", "subject", "value", "payload", "received_at")
NEXT_CURSOR = "X-Next-Cursor"


class _Page(Struct):
    items: list[Raw]
    next_cursor: str | None


class _Row(Struct):
    ts: str
    kind: str
    source: str
    fact_id: str
    subject: str | None
    value: Raw
    payload: Raw
    received_at: str


class FactsResource(ReadResource):
    """A page as JSON; as NDJSON or CSV a page where limit is given, else all facts."""

    path = "/query/facts"
    operation = Operation(
        "query_facts",
        "Facts, newest first",
        FactQuery,
        {JSON: FactPage, NDJSON: Fact, CSV: {"type": "string"}},
        problems=(404, 406),
        headers={NEXT_CURSOR: "next_cursor of a page that is NDJSON or CSV."},
    )

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer in the media type that the client prefers."""
        query = self.operation.read(req)
        media_type = req.client_prefers(MEDIA_TYPES)
        if media_type is None:
            raise Problem(
                "accept_unknown",
                "none of the accepted media types is available",
                hint=f"Accept {JSON}, {NDJSON} or {CSV}.",
            )
        resp.content_type = media_type
        resp.set_header("Vary", "Accept")
        if media_type == JSON:
            send_json(resp, await query_facts(self._context, query, self._clock()))
            return
        whole = query.limit is None
        if whole:
            query = replace(query, limit=LARGEST_PAGE)
        # The first page before the status, so that an error becomes a problem.
        page = await self._page(query)
        if not whole and page.next_cursor is not None:
            resp.set_header(NEXT_CURSOR, page.next_cursor)
        pages = self._pages(query, page) if whole else _one(page)
        resp.stream = _as_csv(pages) if media_type == CSV else _as_lines(pages)

    async def _page(self, query: FactQuery) -> _Page:
        answer = await query_facts(self._context, query, self._clock())
        return msgspec.json.decode(answer, type=_Page)

    async def _pages(self, query: FactQuery, page: _Page) -> AsyncIterator[_Page]:
        yield page
        while page.next_cursor is not None:
            page = await self._page(replace(query, cursor=page.next_cursor))
            yield page


async def _one(page: _Page) -> AsyncIterator[_Page]:
    yield page


async def _as_lines(pages: AsyncIterator[_Page]) -> AsyncIterator[bytes]:
    async for page in pages:
        yield b"".join(bytes(item) + b"\n" for item in page.items)


async def _as_csv(pages: AsyncIterator[_Page]) -> AsyncIterator[bytes]:
    yield _csv_rows([COLUMNS])
    async for page in pages:
        rows = (msgspec.json.decode(item, type=_Row) for item in page.items)
        yield _csv_rows(
            (
                row.ts,
                row.kind,
                row.source,
                row.fact_id,
                row.subject or "",
                "" if bytes(row.value) == b"null" else bytes(row.value).decode(),
                bytes(row.payload).decode(),
                row.received_at,
            )
            for row in rows
        )


def _csv_rows(rows: object) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)  # type: ignore[arg-type]
    return text.getvalue().encode()


class IngestFactsResource(IngestResource):
    """Stores fact items."""

    path = "/ingest/facts"
    operation = ingest_operation("ingest_facts", "Store facts", FactItem)

    async def store(self, document: bytes, options: IngestOptions) -> bytes:
        """Store fact items."""
        return await ingest_facts(self._context, document, options, self._clock())


class FactStreamResource(StreamResource):
    """Facts as they are stored."""

    path = "/facts/stream"
    event = "fact"
    operation = Operation(
        "stream_facts",
        "Facts as they are stored, as server-sent events",
        FactStreamQuery,
        {EVENTS: Fact},
        problems=(406,),
    )

    async def open(self, query: FactStreamQuery) -> Messages:
        """The facts after `last_event_id`."""
        return await stream_facts(self._context, query)
