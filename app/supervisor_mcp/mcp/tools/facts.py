"""Facts: telling of events, and reading them."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import msgspec
from msgspec import Raw, Struct

from supervisor_mcp.mcp.answers import LARGEST_BYTES
from supervisor_mcp.mcp.arguments import (
    INSTANT,
    Cursor,
    IdempotencyKey,
    Limit,
    Partial,
    Source,
    described,
    named,
)
from supervisor_mcp.mcp.items import document, item_document, report
from supervisor_mcp.mcp.operation_tool import OperationTool
from supervisor_mcp.mcp.schemas import batch_schema, field_schema, item_schema
from supervisor_mcp.operations import facts
from supervisor_mcp.operations.batches import Receipt
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.facts import FactItem, FactPage, FactQuery

ITEM = item_schema(
    FactItem,
    {
        "kind": "Kind of event, Fact: and a name, the same for all sources, such as Fact:Sale.",
        "source": "Who tells: name of the MCP server or agent, without white space.",
        "fact_id": "Name of this one event at its source, such as an order number. A second fact"
        " with the same name is a duplicate; send it wherever there is one.",
        "subject": "What the event is about, such as a customer or a campaign.",
        "ts": "When it happened: RFC 3339 with its offset or epoch seconds, at most 5 minutes"
        " ahead; the server's time where it is left out.",
        "value": "The number that is added up, such as an amount of money. Leave it out where only"
        " the event counts.",
        "payload": "Anything else worth keeping, at most 64 KiB. It is not aggregated.",
    },
)


class _Page(Struct):
    items: list[Raw]


def tools(context: Context, clock: Clock) -> list[OperationTool]:
    """ingest_fact, ingest_facts, query_facts."""

    async def ingest_fact(
        *,
        kind: Annotated[Any, field_schema(ITEM, "kind")],
        source: Annotated[Any, field_schema(ITEM, "source")],
        fact_id: Annotated[Any, field_schema(ITEM, "fact_id")] = None,
        subject: Annotated[Any, field_schema(ITEM, "subject")] = None,
        ts: Annotated[Any, field_schema(ITEM, "ts")] = None,
        value: Annotated[Any, field_schema(ITEM, "value")] = None,
        payload: Annotated[Any, field_schema(ITEM, "payload")] = None,
        idempotency_key: IdempotencyKey = None,
    ) -> bytes:
        """Store one business event: a sale, a sign-up, a failed payment, a decision of an agent.

        Use it for things that happened once and count as such. For numbers that are measured
        again and again use ingest_metric; for many events at once ingest_facts.

        Example: {"kind": "Fact:Sale", "source": "shop-mcp", "fact_id": "order-1841",
        "subject": "customer-77", "value": 49.9, "payload": {"currency": "EUR"}}

        The answer is a receipt, and what it counts as accepted is committed: query_agg sees it at
        once. The same source and fact_id again is a duplicate and stores nothing; with other
        content it is a conflict, kept apart and not counted. Without fact_id and ts every call is
        a new event.
        """
        item = item_document(
            kind=kind,
            source=source,
            fact_id=fact_id,
            subject=subject,
            ts=ts,
            value=value,
            payload=payload,
        )
        return await facts.ingest_facts(context, item, idempotency_key=idempotency_key, now=clock())

    async def ingest_facts(
        *,
        items: Annotated[list[Any], batch_schema(ITEM)],
        partial: Partial = False,
        idempotency_key: IdempotencyKey = None,
    ) -> bytes:
        """Store up to 10,000 business events in one transaction.

        Use it for more than one event: it is far cheaper than calls of ingest_fact.

        Example: {"items": [{"kind": "Fact:Sale", "source": "shop-mcp", "fact_id": "order-1841",
        "value": 49.9}, {"kind": "Fact:Refund", "source": "shop-mcp", "fact_id": "refund-12"}]}

        The answer is a receipt, and what it counts as accepted is committed. A bad item refuses
        the batch, and the error names every bad item by its index in params.items; mend those and
        send the batch again, or send partial: true. Items that were stored before are counted as
        duplicate, so a batch whose items have fact_id or ts can be repeated without harm.
        """
        await report(0, len(items), "storing")
        receipt = await facts.ingest_facts(
            context,
            document(items),
            partial=partial,
            idempotency_key=idempotency_key,
            now=clock(),
        )
        await report(len(items), len(items), "committed")
        return receipt

    async def query_facts(
        *,
        kind: Annotated[
            str | None, described("Only this kind, such as Fact:Sale; list_kinds names them.")
        ] = None,
        source: Source = None,
        subject: Annotated[
            str | None, described("Only what is about this subject. Exact text.")
        ] = None,
        start: Annotated[
            str | float | None, described("Not before this instant.", INSTANT), named("from")
        ] = None,
        end: Annotated[
            str | float | None, described("Before this instant.", INSTANT), named("to")
        ] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> bytes:
        """Single business events with their payloads, newest first.

        Use it to look at examples, to find one event, or to explain a number of query_agg. Do not
        add facts up yourself: query_agg does that exactly.

        Example: {"kind": "Fact:Sale", "subject": "customer-77", "limit": 20}

        The answer is {items, next_cursor}. Where next_cursor is not null there are older ones:
        call again with the same arguments and cursor set to it. Fewer items than limit may come
        where they are large.
        """
        query = FactQuery.read(
            kind=kind,
            source=source,
            subject=subject,
            start=start,
            end=end,
            limit=limit,
            cursor=cursor,
        )
        return await _fitting(context, query, clock)

    return [
        OperationTool.storing(ingest_fact, "Store an event", Receipt),
        OperationTool.storing(ingest_facts, "Store events", Receipt),
        OperationTool.reading(query_facts, "Read events", FactPage),
    ]


async def _fitting(context: Context, query: FactQuery, clock: Clock) -> bytes:
    """The page that is asked for, or as much of it as a tool may answer with."""
    answer = await facts.query_facts(context, query, clock())
    while len(answer) > LARGEST_BYTES:
        found = len(msgspec.json.decode(answer, type=_Page).items)
        # One fact always fits, and every round asks for at least one fewer.
        fewer = replace(query, limit=max(1, found * LARGEST_BYTES // len(answer)))
        answer = await facts.query_facts(context, fewer, clock())
    return answer
