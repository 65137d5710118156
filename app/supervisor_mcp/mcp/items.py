"""Items on their way from the arguments of a tool to an ingest."""

from __future__ import annotations

import json
from typing import Any

from fastmcp.server.dependencies import get_context

# Arguments that were left out are no fields of an item.
ABSENT = None


def item_document(**fields: object) -> bytes:
    """One item as JSON; fields that are None were not sent."""
    return document({name: value for name, value in fields.items() if value is not ABSENT})


def document(items: Any) -> bytes:
    """What was sent as JSON again.

    NaN and halves of surrogate pairs, which Python's parser lets through, stay in it for the
    operation to refuse.
    """
    return json.dumps(items, separators=(",", ":")).encode()


async def report(done: int, total: int, message: str) -> None:
    """Tell a client that asked for progress how many items of a batch are done."""
    await get_context().report_progress(done, total, message)
