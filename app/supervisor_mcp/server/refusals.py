"""Problems that are answered before, or instead of, an application of REST or MCP."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from starlette.types import Send

from supervisor_mcp.errors import Problem

Headers = list[tuple[bytes, bytes]]


def encode(problem: Problem, request_id: str) -> tuple[Headers, bytes]:
    """The headers and the body of an answer."""
    body = msgspec.json.encode(problem.body(request_id)) + b"\n"
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", b"%d" % len(body)),
    ]
    if problem.retry_after is not None:
        headers.append((b"retry-after", b"%d" % problem.retry_after))
    return headers, body


async def answer(
    problem: Problem, request_id: str, send: Send, more: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    """Send a problem as the whole answer, with more headers."""
    headers, body = encode(problem, request_id)
    headers.extend(more)
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
