"""Items on their way from the arguments of a tool to an ingest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import msgspec
from fastmcp.server.dependencies import get_context
from msgspec import Struct

from supervisor_mcp.errors import Problem
from supervisor_mcp.mcp.answers import LARGEST_BYTES, with_fewer_rejections
from supervisor_mcp.mcp.schemas import batch_input_schema, item_input_schema
from supervisor_mcp.mcp.tool import STORING, OperationTool, as_json
from supervisor_mcp.operations.arguments import malformed
from supervisor_mcp.operations.clock import Clock
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.ingest import IngestOptions, Receipt
from supervisor_mcp.operations.query import missing_parameter, unknown_parameter

Ingest = Callable[[Context, bytes, IngestOptions, datetime], Awaitable[bytes]]


def item_tool(
    described: Callable[[], None],
    item: type[Struct],
    ingest: Ingest,
    context: Context,
    clock: Clock,
) -> OperationTool:
    """The tool for one item, whose arguments are its fields."""
    schema = item_input_schema(item)

    async def call(arguments: dict[str, Any]) -> bytes:
        for name in arguments.keys() - schema["properties"].keys():
            raise unknown_parameter(name, sorted(schema["properties"]))
        sent = {name: value for name, value in arguments.items() if value is not None}
        for name in schema["required"]:
            if name not in sent:
                raise missing_parameter(name, schema["properties"][name])
        options = IngestOptions.read({"idempotency_key": sent.pop("idempotency_key", None)})
        try:
            return await ingest(context, as_json(sent), options, clock())
        except Problem as problem:
            if problem.slug == "items_refused":
                problem.hint = "Correct the arguments named in params.items and call again."
            raise

    return OperationTool.made(described, call, schema, Receipt, hints=STORING)


def batch_tool(
    described: Callable[[], None],
    item: type[Struct],
    ingest: Ingest,
    context: Context,
    clock: Clock,
    about: str | None = None,
) -> OperationTool:
    """The tool for many items of one call; `about` describes them where no tool takes one."""
    single = described.__name__.removesuffix("s")
    schema = batch_input_schema(item, about or f"Each has the arguments of {single}.")

    async def call(arguments: dict[str, Any]) -> bytes:
        items = arguments.get("items")
        if "items" not in arguments:
            raise missing_parameter("items", schema["properties"]["items"])
        if not isinstance(items, list):
            hint = "Send the items themselves in an array, not as JSON text."
            raise malformed("items", "an array", items, hint)
        options = IngestOptions.read({n: v for n, v in arguments.items() if n != "items"})
        await _report(0, len(items), "storing")
        receipt = await ingest(context, as_json(items), options, clock())
        await _report(len(items), len(items), "committed")
        if len(receipt) > LARGEST_BYTES:
            decoded = msgspec.json.decode(receipt, type=dict[str, Any])
            fewer = with_fewer_rejections(decoded, "rejected", len(receipt))
            receipt = msgspec.json.encode(fewer)
        return receipt

    return OperationTool.made(described, call, schema, Receipt, hints=STORING)


async def _report(done: int, total: int, message: str) -> None:
    """Report the progress of a batch to a client that asked for it."""
    await get_context().report_progress(done, total, message)
