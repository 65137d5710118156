"""Which answers are compressed, and for whom."""

from __future__ import annotations

from typing import Any, cast

import httpx
import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from supervisor_mcp.rest.compression import Compression


async def answer(size: int, accepted: str | None) -> httpx.Response:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(b"x" * size)(scope, receive, send)

    transport = httpx.ASGITransport(cast("Any", Compression(app)))
    async with httpx.AsyncClient(transport=transport, base_url="http://rest") as client:
        client.headers.pop("accept-encoding")
        headers = {} if accepted is None else {"Accept-Encoding": accepted}
        return await client.get("/", headers=headers)


@pytest.mark.parametrize(("size", "compressed"), [(1399, False), (1400, True)])
async def test_an_answer_that_fits_a_packet_is_not_compressed(
    size: int, *, compressed: bool
) -> None:
    assert ("content-encoding" in (await answer(size, "gzip")).headers) is compressed


@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [
        (None, False),
        ("gzip", True),
        ("br, gzip", True),
        ("deflate,gzip;q=0.5,br", True),
        ("gzip;q=1", True),
        ("gzip ; q=1.0", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("gzip;q=0.001", True),
        ("identity", False),
        ("xgzip", False),
        ("gzipx", False),
    ],
)
async def test_an_answer_is_compressed_for_who_accepts_it(
    accepted: str | None, *, compressed: bool
) -> None:
    answered = await answer(5000, accepted)
    assert answered.content == b"x" * 5000
    assert ("content-encoding" in answered.headers) is compressed
