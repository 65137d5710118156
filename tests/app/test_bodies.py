"""Request bodies as routes read them: media types, gzip, bounds."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator
from random import Random
from typing import Any, cast

import httpx
import pytest
from falcon.asgi import App, Request, Response
from falcon.testing import create_scope

from supervisor_mcp.rest import problems
from supervisor_mcp.rest.bodies import read_document, read_items, read_object
from supervisor_mcp.rest.budget import BODIES, HELD

JSON = "application/json"
MIB = 1024 * 1024


class Items:
    async def on_post(self, req: Request, resp: Response) -> None:
        resp.data = await read_items(req)
        resp.set_header("Held", str(req.scope.get(HELD, 0)))
        BODIES.give_back(req.scope)


class Document:
    async def on_post(self, req: Request, resp: Response) -> None:
        resp.data = await read_document(req)


class Object:
    async def on_post(self, req: Request, resp: Response) -> None:
        resp.data = json.dumps(await read_object(req)).encode()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    app: App[Request, Response] = App()
    problems.install(app)
    for path, resource in (("/items", Items()), ("/document", Document()), ("/object", Object())):
        app.add_route(path, resource)
    transport = httpx.ASGITransport(cast("Any", app))
    async with httpx.AsyncClient(transport=transport, base_url="http://rest") as client:
        yield client


def problem_of(answer: httpx.Response) -> tuple[int, str, str, str]:
    problem = answer.json()
    slug = problem["type"].rpartition(":")[2]
    return answer.status_code, slug, problem["detail"], problem["hint"]


@pytest.mark.parametrize(
    ("path", "content_type", "sent", "read"),
    [
        ("/items", "application/json", b"[1]", b"[1]"),
        ("/items", "Application/JSON; charset=UTF-8", b"[1]\n[2]", b"[1]\n[2]"),
        ("/items", "application/json; charset=utf8", b"[1]", b"[1]"),
        ("/items", "application/x-ndjson", b"1\n\n2\n", b"[1,2]"),
        ("/items", "Application/NDJSON", b"1\n2", b"[1,2]"),
        ("/items", "application/jsonl; charset=utf-8", b"1\n2", b"[1,2]"),
        ("/document", "application/json", b"[1] ", b"[1] "),
        ("/object", "application/json", b'{"a":1}', b'{"a": 1}'),
    ],
)
async def test_the_media_type_says_how_a_body_is_read(
    http: httpx.AsyncClient, path: str, content_type: str, sent: bytes, read: bytes
) -> None:
    answer = await http.post(path, content=sent, headers={"Content-Type": content_type})
    assert (answer.status_code, answer.content) == (200, read)


@pytest.mark.parametrize(
    ("path", "content_type", "detail", "types"),
    [
        ("/items", None, "the request has no Content-Type", True),
        ("/items", "text/csv", 'unsupported media type "text/csv"', True),
        ("/document", "application/x-ndjson", 'unsupported media type "{}"', False),
        ("/document", None, "the request has no Content-Type", False),
        ("/items", "application/json; charset=latin1", 'unsupported media type "{}"', True),
        ("/items", "a/" + "b" * 200, f'unsupported media type "a/{"b" * 98}"', True),
    ],
)
async def test_another_media_type_is_refused_with_those_that_are_read(
    http: httpx.AsyncClient, path: str, content_type: str | None, detail: str, *, types: bool
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = await http.post(path, content=b"[]", headers=headers)
    lines = " or application/x-ndjson" if types else ""
    assert problem_of(answer) == (
        415,
        "content_type_known",
        detail.format(content_type),
        f"Send Content-Type: application/json{lines}, in UTF-8.",
    )


async def post(
    http: httpx.AsyncClient, sent: Any, *, encoding: str | None = None, **headers: str
) -> httpx.Response:
    named = {} if encoding is None else {"Content-Encoding": encoding}
    return await http.post(
        "/items", content=sent, headers={"Content-Type": JSON, **named, **headers}
    )


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", " GZIP "])
@pytest.mark.parametrize("members", [1, 3])
async def test_all_members_of_a_gzip_body_are_inflated_and_counted(
    http: httpx.AsyncClient, encoding: str, members: int
) -> None:
    sent = b"".join(gzip.compress(b"[%d]" % n) for n in range(members))
    answer = await post(http, sent, encoding=encoding)
    read = b"".join(b"[%d]" % n for n in range(members))
    assert (answer.content, answer.headers["held"]) == (read, str(len(read)))


async def test_what_repeats_from_far_back_is_inflated(http: httpx.AsyncClient) -> None:
    text = Random(1).randbytes(30_000) * 2
    answer = await post(http, gzip.compress(text), encoding="gzip")
    assert answer.content == text


@pytest.mark.parametrize("encoding", ["identity", "Identity", None])
async def test_a_body_that_is_not_compressed_is_read_as_it_is(
    http: httpx.AsyncClient, encoding: str | None
) -> None:
    answer = await post(http, b"[1]", encoding=encoding)
    assert (answer.content, answer.headers["held"]) == (b"[1]", "0")


async def test_another_encoding_is_refused(http: httpx.AsyncClient) -> None:
    assert problem_of(await post(http, b"[]", encoding="b" * 101)) == (
        415,
        "content_encoding_known",
        f'unsupported content encoding "{"b" * 100}"',
        "Send the body uncompressed, or with Content-Encoding: gzip.",
    )


@pytest.mark.parametrize(
    "sent",
    [
        b"[]",
        zlib.compress(b"[]"),
        gzip.compress(b"[]", mtime=0)[:-4],
        gzip.compress(b"[]", mtime=0) + b"[]",
        gzip.compress(b"[]", mtime=0)[:5],
    ],
)
async def test_what_is_no_whole_gzip_is_refused(http: httpx.AsyncClient, sent: bytes) -> None:
    status, slug, *_ = problem_of(await post(http, sent, encoding="gzip"))
    assert (status, slug) == (400, "gzip_malformed")


async def parts(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // MIB):
        yield b" " * MIB
    yield b" " * (size % MIB)


@pytest.mark.parametrize("form", ["whole", "in parts", "compressed", "compressed in two"])
async def test_a_body_has_at_most_8_mib(http: httpx.AsyncClient, form: str) -> None:
    async def sent(size: int) -> httpx.Response:
        if form == "whole":
            return await post(http, b" " * size)
        if form == "in parts":
            return await post(http, parts(size))
        first = MIB if form == "compressed in two" else 0
        members = [gzip.compress(b" " * each, 1) for each in (first, size - first)]
        return await post(http, b"".join(members), encoding="gzip")

    taken = await sent(8 * MIB)
    assert (taken.status_code, len(taken.content)) == (200, 8 * MIB)
    assert problem_of(await sent(8 * MIB + 1))[:2] == (413, "body_within_limit")


async def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_read(
    http: httpx.AsyncClient,
) -> None:
    answer = await post(http, b"[1]", **{"Content-Length": str(8 * MIB + 1)})
    assert problem_of(answer)[:2] == (413, "body_within_limit")


async def test_a_body_that_is_shorter_than_it_says_is_refused(http: httpx.AsyncClient) -> None:
    answer = await post(http, b"[1]", **{"Content-Length": "4"})
    assert problem_of(answer)[:2] == (400, "body_cut_short")


@pytest.mark.parametrize(("size", "beside"), [(256 * 1024, False), (256 * 1024 + 1, True)])
async def test_a_large_body_is_inflated_beside_other_requests(size: int, *, beside: bool) -> None:
    # The head of gzip holds a name that makes the body as large as wanted.
    plain = gzip.compress(b" ")
    name = b"x" * (size - len(plain) - 1) + b"\0"
    sent = plain[:3] + b"\x08" + plain[4:10] + name + plain[10:]
    assert len(sent) == size

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": sent}

    scope = create_scope(method="POST", headers={"Content-Type": JSON, "Content-Encoding": "gzip"})
    reading = asyncio.create_task(read_document(Request(scope, receive)))
    await asyncio.sleep(0)
    assert reading.done() is not beside
    assert await reading == b" "
