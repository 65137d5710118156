"""GET /query/facts as JSON, NDJSON or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import replace

import msgspec
from falcon.asgi import Request, Response
from msgspec import Raw, Struct

from supervisor_mcp.errors import Problem
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.facts import LARGEST_PAGE, FactQuery, query_facts
from supervisor_mcp.rest.parameters import CURSOR, INSTANT, LIMIT, Parameter, Parameters

JSON = "application/json"
NDJSON = "application/x-ndjson"
CSV = "text/csv"
# The first one wins among equals, as with Accept: */*.
MEDIA_TYPES = (JSON, NDJSON, CSV)
COLUMNS = ("ts", "kind", "source", "fact_id", "subject", "value", "payload", "received_at")


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


class FactsResource:
    """A page as JSON; as NDJSON or CSV a page where limit is given, else all that there is."""

    parameters = Parameters(
        Parameter("kind", "Only this kind, Fact:<Name>."),
        Parameter("source", "Only what this source sent."),
        Parameter("subject", "Only what is about this subject."),
        Parameter("from", "Not before this instant.", INSTANT),
        Parameter("to", "Before this instant.", INSTANT),
        LIMIT,
        CURSOR,
    )

    def __init__(self, context: Context, clock: Clock) -> None:
        self._context = context
        self._clock = clock

    async def on_get(self, req: Request, resp: Response) -> None:
        """Answer in the media type that the client prefers."""
        sent = self.parameters.read(req.query_string)
        media_type = req.client_prefers(MEDIA_TYPES)
        if media_type is None:
            raise Problem(
                "accept_unknown",
                "Facts come as JSON, NDJSON or CSV.",
                hint=f"Accept {JSON}, {NDJSON} or {CSV}.",
            )
        limit = sent.pop("limit", None)
        query = FactQuery.read(
            start=sent.pop("from", None), end=sent.pop("to", None), limit=limit, **sent
        )
        resp.content_type = media_type
        resp.set_header("Vary", "Accept")
        if media_type == JSON:
            resp.data = await query_facts(self._context, query, self._clock())
            return
        whole = query.limit is None
        if whole:
            query = replace(query, limit=LARGEST_PAGE)
        # The first page before the status, so that an error is told as one.
        page = await self._page(query)
        if not whole and page.next_cursor is not None:
            resp.set_header("X-Next-Cursor", page.next_cursor)
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
