"""Errors of routes become problems."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import falcon
import httpx
import pytest
from falcon.asgi import App, Request, Response

from supervisor_mcp.errors import Problem
from supervisor_mcp.rest import problems

FAILURES: dict[str, Exception] = {
    "plain": Problem("value_invalid", "the value is wrong", hint="Send another.", params={"n": 1}),
    "later": Problem("unavailable", "away"),
    "paused": Problem("x_within_quota", "d", status=429, params={"retry_after_seconds": 6.2}),
    "unknown_sender": Problem("credentials_required", "no credentials"),
    "lesser_sender": Problem("scope_sufficient", "no scope"),
    "defect": KeyError("secret"),
    "falcon": falcon.HTTPBadRequest(title="Bad Thing."),
    "with_header": falcon.HTTPBadRequest(headers={"X-Why": "b"}),
    "broken": falcon.HTTPServiceUnavailable(title="secret"),
    "server": falcon.HTTPInternalServerError(title="secret"),
}


class Failing:
    async def on_get(self, _req: Request, _resp: Response, name: str) -> None:
        raise FAILURES[name]


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    app: App[Request, Response] = App()
    problems.install(app)
    app.add_route("/{name}", Failing())

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "supervisor.request_id": "r-1"}, receive, send)

    transport = httpx.ASGITransport(cast("Any", asgi))
    async with httpx.AsyncClient(transport=transport, base_url="http://rest") as client:
        yield client


async def test_a_problem_is_the_answer(http: httpx.AsyncClient) -> None:
    answer = await http.get("/plain")
    assert (answer.status_code, answer.headers["content-type"]) == (422, problems.MEDIA_TYPE)
    assert answer.content.endswith(b"}\n")
    assert answer.json() == {
        "type": "urn:supervisor-mcp:problem:value_invalid",
        "title": "Invalid value",
        "status": 422,
        "detail": "the value is wrong",
        "hint": "Send another.",
        "params": {"n": 1},
        "request_id": "r-1",
    }


@pytest.mark.parametrize(
    ("name", "seconds"), [("plain", None), ("later", "1"), ("paused", "7"), ("defect", None)]
)
async def test_a_problem_that_passes_says_when_to_come_back(
    http: httpx.AsyncClient, name: str, seconds: str | None
) -> None:
    assert (await http.get(f"/{name}")).headers.get("retry-after") == seconds


@pytest.mark.parametrize(
    ("name", "challenged"),
    [("unknown_sender", True), ("lesser_sender", True), ("plain", False), ("later", False)],
)
async def test_who_lacks_credentials_is_challenged(
    http: httpx.AsyncClient, name: str, *, challenged: bool
) -> None:
    assert ("www-authenticate" in (await http.get(f"/{name}")).headers) is challenged


@pytest.mark.parametrize("name", ["defect", "broken", "server"])
async def test_a_defect_is_not_described(http: httpx.AsyncClient, name: str) -> None:
    answer = await http.get(f"/{name}")
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (500, "internal")
    assert "secret" not in answer.text


async def test_a_defect_is_logged_with_its_request(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    await http.get("/defect")
    (record,) = caplog.records
    assert record.getMessage() == "GET /defect failed, request_id r-1"
    assert record.exc_info is not None
    assert record.exc_info[1] is FAILURES["defect"]


async def test_what_falcon_refuses_is_said_in_its_words(http: httpx.AsyncClient) -> None:
    answer = await http.get("/falcon")
    assert (answer.status_code, answer.json()["detail"]) == (400, "bad thing")


async def test_headers_of_falcon_are_kept(http: httpx.AsyncClient) -> None:
    assert (await http.get("/with_header")).headers["x-why"] == "b"


async def test_an_unknown_path_is_named_shortened(http: httpx.AsyncClient) -> None:
    answer = await http.get("/a/" + "b" * 300)
    assert (answer.status_code, answer.json()["detail"]) == (404, f"unknown path /a/{'b' * 197}")
    assert answer.json()["hint"] == "GET / lists the paths; GET /openapi.json describes them."


async def test_an_unknown_method_is_answered_with_those_of_the_path(
    http: httpx.AsyncClient,
) -> None:
    answer = await http.put("/" + "b" * 300)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, OPTIONS")
    assert answer.json()["detail"] == f"/{'b' * 199} does not support PUT"
    assert answer.json()["hint"] == "Supported methods: GET, OPTIONS."


async def test_a_method_that_http_does_not_have_is_refused(http: httpx.AsyncClient) -> None:
    answer = await http.request("B" * 25, "/plain")
    assert (answer.status_code, answer.json()["detail"]) == (400, "bad request")
