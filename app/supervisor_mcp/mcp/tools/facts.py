"""Tools that store and read facts."""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from supervisor_mcp.mcp.answers import LARGEST_BYTES
from supervisor_mcp.mcp.items import batch_tool, item_tool
from supervisor_mcp.mcp.tool import OperationTool
from supervisor_mcp.operations import facts
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.facts import FactItem, FactPage, FactQuery


class _Page(Struct):
    items: list[Raw]


def ingest_fact() -> None:
    """Store one business event: a sale, a sign-up, a failed payment, a decision of an agent.

    For numbers that are measured again and again use ingest_metric; for many events ingest_facts.

    Example: {"kind": "Fact:Sale", "source": "shop-mcp", "fact_id": "order-1841",
    "subject": "customer-77", "value": 49.9, "payload": {"currency": "EUR"}}

    The answer is a receipt: accepted items are committed. The same source and fact_id again is a
    duplicate, with other content a conflict: neither counts. Without both, every call is new.
    """


def ingest_facts() -> None:
    """Store up to 10,000 business events in one transaction.

    Example: {"items": [{"kind": "Fact:Sale", "source": "shop-mcp", "fact_id": "order-1841",
    "value": 49.9}]}

    The answer is a receipt. An error lists every broken rule by index in params.items. Items with
    fact_id or ts can be sent again: they are duplicates.
    """


def tools(context: Context, clock: Clock) -> list[OperationTool]:
    """ingest_fact, ingest_facts, query_facts."""

    async def query_facts(query: FactQuery) -> bytes:
        """Single business events with their payloads, newest first.

        To look at examples, find one event, or explain a number of query_agg. Do not add facts
        up: query_agg does that exactly.

        The answer is {items, next_cursor}. While next_cursor is not null there are older events:
        call again with the same arguments and cursor. Large events make shorter pages.
        """
        return await _fitting(context, query, clock)

    made = (FactItem, facts.ingest_facts, context, clock)
    return [
        item_tool(ingest_fact, *made),
        batch_tool(ingest_facts, *made),
        OperationTool.asking(query_facts, FactQuery, FactPage),
    ]


async def _fitting(context: Context, query: FactQuery, clock: Clock) -> bytes:
    """The page, or as much of it as a tool may answer with."""
    answer = await facts.query_facts(context, query, clock())
    while len(answer) > LARGEST_BYTES:
        found = len(msgspec.json.decode(answer, type=_Page).items)
        # One fact always fits, and every round asks for at least one fewer.
        fewer = replace(query, limit=max(1, found * LARGEST_BYTES // len(answer)))
        answer = await facts.query_facts(context, fewer, clock())
    return answer
