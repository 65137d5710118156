"""Request bodies: bounded, decompressed, and framed as one JSON document."""

from __future__ import annotations

import asyncio
import zlib
from typing import Any

import falcon
from falcon.asgi import Request

from supervisor_mcp.errors import Problem
from supervisor_mcp.operations.json_validation import AT_ONCE_BYTES, decode_object, read_lines
from supervisor_mcp.rest.budget import BODIES

LIMIT_BYTES = 8 * 1024 * 1024
JSON = {"application/json"}
NDJSON = {"application/x-ndjson", "application/ndjson", "application/jsonl"}
GZIP = {"gzip", "x-gzip"}


async def read_items(req: Request) -> bytes:
    """The body as JSON text, an array of the lines where it is NDJSON. Raises `Problem`."""
    lines = _media_type(req, JSON | NDJSON) in NDJSON
    body = await _inflated(req)
    return await read_lines(body) if lines else body


async def read_document(req: Request) -> bytes:
    """The body as JSON text. Raises `Problem`."""
    _media_type(req, JSON)
    return await _inflated(req)


async def read_object(req: Request) -> dict[str, Any]:
    """The body, which is a JSON object. Raises `Problem`."""
    return await decode_object(await read_document(req))


async def _inflated(req: Request) -> bytes:
    encoding = (req.get_header("Content-Encoding") or "identity").strip().lower()
    if encoding != "identity" and encoding not in GZIP:
        raise Problem(
            "content_encoding_known",
            f'unsupported content encoding "{encoding[:100]}"',
            hint="Send the body uncompressed, or with Content-Encoding: gzip.",
        )
    body = await _read(req)
    if encoding in GZIP:
        inflate = asyncio.to_thread(_inflate, body) if len(body) > AT_ONCE_BYTES else None
        body = _inflate(body) if inflate is None else await inflate
        BODIES.take(req.scope, len(body))
    return body


def _media_type(req: Request, supported: set[str]) -> str:
    # Without a type, any web page could send one without asking first (CORS).
    media_type, options = falcon.parse_header(req.content_type or "")
    in_utf_8 = options.get("charset", "utf-8").lower() in {"utf-8", "utf8"}
    if in_utf_8 and media_type.lower() in supported:
        return media_type.lower()
    lines = " or application/x-ndjson" if supported & NDJSON else ""
    raise Problem(
        "content_type_known",
        f'unsupported media type "{req.content_type[:100]}"'
        if req.content_type
        else "the request has no Content-Type",
        hint=f"Send Content-Type: application/json{lines}, in UTF-8.",
    )


async def _read(req: Request) -> bytes:
    length = req.content_length
    if length is not None and length > LIMIT_BYTES:
        raise _too_large()
    parts = []
    size = 0
    async for part in req.stream:
        parts.append(part)
        size += len(part)
        if size > LIMIT_BYTES:
            raise _too_large()
    if req.scope.get("supervisor.cut_short") or (length is not None and size < length):
        raise Problem(
            "body_cut_short",
            "the connection was lost before the body was complete",
            hint="Send the request again.",
        )
    return b"".join(parts)


def _inflate(body: bytes) -> bytes:
    """The content of all members of a gzip body, up to the limit."""
    parts = []
    size = 0
    while body:
        member = zlib.decompressobj(wbits=31)
        try:
            parts.append(member.decompress(body, LIMIT_BYTES - size + 1))
        except zlib.error:
            raise _not_gzip() from None
        size += len(parts[-1])
        if size > LIMIT_BYTES:
            raise _too_large()
        if not member.eof:
            raise _not_gzip()
        body = member.unused_data
    return b"".join(parts)


def _not_gzip() -> Problem:
    return Problem(
        "gzip_malformed",
        "the body is not complete, valid gzip data",
        hint="Compress the whole body with gzip, or leave out Content-Encoding.",
    )


def _too_large() -> Problem:
    return Problem(
        "body_within_limit",
        "the body exceeds 8 MiB after decompression",
        hint="Split the batch and send the parts one after the other.",
    )
