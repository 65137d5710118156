"""Paths with parameters, several methods on one path, and objects and documents as bodies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, cast

import httpx
import msgspec
import pytest
from falcon.asgi import App, Request, Response
from msgspec import Meta, Struct

from supervisor_mcp.operations.clock import now
from supervisor_mcp.operations.context import Context
from supervisor_mcp.operations.query import Query
from supervisor_mcp.rest import problems
from supervisor_mcp.rest.bodies import read_document
from supervisor_mcp.rest.openapi import document
from supervisor_mcp.rest.operation import JSON, Operation, ReadResource, Resource, send_json
from supervisor_mcp.rest.routing import Parameters, PathResource, Router


class Named(Query, frozen=True):
    """A name."""

    name: Annotated[str, Meta(description="Name.")]
    depth: Annotated[int | None, Meta(description="Depth.")] = None


class Batch(Query, frozen=True):
    """A plan for several names."""

    id: Annotated[str, Meta(description="Name of the plan.")]
    names: Annotated[list[str], Meta(description="Names.")]
    reason: Annotated[str | None, Meta(description="Reason.")] = None


ENTRY = {"type": "object", "properties": {"size": {"type": "integer"}}, "required": ["size"]}


class Echo(Struct):
    """What was sent."""

    operation: str


def operation(name: str, query: type[Query], method: str, **more: Any) -> Operation[Any]:
    return Operation(name, "An operation", query, {JSON: Echo}, method=method, **more)


class Getting(ReadResource):
    path = "/entries/{name}"
    operation = operation("get", Named, "get")

    async def on_get(self, req: Request, resp: Response) -> None:
        echo(resp, self.operation, self.operation.read(req))


class Putting(Resource):
    path = "/entries/{name}"
    operation = operation("put", Named, "put", document=ENTRY)

    async def on_put(self, req: Request, resp: Response) -> None:
        echo(resp, self.operation, self.operation.read(req), await read_document(req))


class Deleting(Resource):
    path = "/entries/{name}"
    operation = operation("delete", Named, "delete")

    async def on_delete(self, req: Request, resp: Response) -> None:
        echo(resp, self.operation, self.operation.read(req))


class Beating(Resource):
    path = "/entries/{name}/beat"
    operation = operation("beat", Named, "post")

    async def on_post(self, req: Request, resp: Response) -> None:
        echo(resp, self.operation, self.operation.read(req))


class Silencing(Resource):
    path = "/entries/{name}/beat"
    operation = operation("silence", Named, "delete")

    async def on_delete(self, req: Request, resp: Response) -> None:
        echo(resp, self.operation, self.operation.read(req))


class Planning(Resource):
    path = "/plans/{id}"
    operation = operation("plan", Batch, "put")

    async def on_put(self, req: Request, resp: Response) -> None:
        echo(resp, self.operation, await self.operation.read_body(req))


RESOURCES: list[type[Resource]] = [Getting, Putting, Deleting, Beating, Silencing, Planning]


def echo(resp: Response, asked: Operation[Any], query: Query, body: bytes | None = None) -> None:
    sent = {n: v for n, v in query.arguments().items() if v is not None}
    kept = {} if body is None else {"body": msgspec.json.decode(body)}
    send_json(resp, msgspec.json.encode({"operation": asked.name, **sent, **kept}))


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    app: App[Request, Response] = App(middleware=[Parameters()], router=Router())
    problems.install(app)
    context = cast("Context", None)
    for path in {resource.path for resource in RESOURCES}:
        of_path = [each(context, now) for each in RESOURCES if each.path == path]
        app.add_route(path, PathResource(of_path))
    transport = httpx.ASGITransport(cast("Any", app))
    async with httpx.AsyncClient(transport=transport, base_url="http://rest") as client:
        yield client


@pytest.mark.parametrize("name", ["search", "acme/search", "io.github.acme/search.v2"])
@pytest.mark.parametrize("slash", ["/", "%2F", "%2f"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_name_with_a_slash_reaches_its_resource_escaped_or_not(
    http: httpx.AsyncClient, name: str, slash: str, method: str
) -> None:
    answer = await http.request(method, f"/entries/{name.replace('/', slash)}")
    assert answer.json() == {"operation": method.lower(), "name": name}


@pytest.mark.parametrize("name", ["acme", "acme/search", "acme/beat", "beat"])
@pytest.mark.parametrize("slash", ["/", "%2F"])
async def test_a_name_with_a_slash_is_followed_by_more_of_the_path(
    http: httpx.AsyncClient, name: str, slash: str
) -> None:
    answer = await http.post(f"/entries/{name.replace('/', slash)}/beat?depth=2")
    assert answer.json() == {"operation": "beat", "name": name, "depth": 2}


async def test_a_path_that_matches_as_it_is_is_never_read_otherwise(
    http: httpx.AsyncClient,
) -> None:
    answer = await http.delete("/entries/acme/beat")
    assert answer.json() == {"operation": "silence", "name": "acme"}
    answer = await http.delete("/entries/acme/search/beat")
    assert answer.json() == {"operation": "silence", "name": "acme/search"}


async def test_the_mark_of_a_slash_inside_a_name_is_none_in_a_request(
    http: httpx.AsyncClient,
) -> None:
    assert (await http.get("/entries/a%00b/c")).status_code == 404


async def test_the_method_decides_where_a_name_ends_like_another_path(
    http: httpx.AsyncClient,
) -> None:
    assert (await http.get("/entries/acme/beat")).json()["name"] == "acme/beat"
    assert (await http.post("/entries/acme/beat")).json()["name"] == "acme"


@pytest.mark.parametrize("path", ["/entries", "/entries/a/b/c", "/entries/a/b/c/beat", "/plans"])
async def test_a_path_with_too_few_or_too_many_parts_is_unknown(
    http: httpx.AsyncClient, path: str
) -> None:
    assert (await http.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/entries/a", "DELETE, GET, HEAD, OPTIONS, PUT"),
        ("/entries/a/b", "DELETE, GET, HEAD, OPTIONS, PUT"),
        ("/entries/a/b/beat", "DELETE, OPTIONS, POST"),
    ],
)
async def test_all_methods_of_a_path_are_allowed_and_no_other(
    http: httpx.AsyncClient, path: str, allowed: str
) -> None:
    assert (await http.options(path)).headers["allow"] == allowed
    refused = await http.patch(path)
    assert (refused.status_code, refused.headers["allow"]) == (405, allowed)


async def test_head_is_answered_where_get_is(http: httpx.AsyncClient) -> None:
    answer = await http.head("/entries/a/b")
    assert (answer.status_code, answer.content) == (200, b"")


async def test_a_document_goes_with_the_query(http: httpx.AsyncClient) -> None:
    answer = await http.put("/entries/a/b?depth=1", json={"size": 1})
    expected = {"operation": "put", "name": "a/b", "depth": 1, "body": {"size": 1}}
    assert answer.json() == expected


async def test_members_of_an_object_in_the_body_are_parameters(http: httpx.AsyncClient) -> None:
    answer = await http.put("/plans/p", json={"names": ["a", "b"], "reason": None})
    assert answer.json() == {"operation": "plan", "id": "p", "names": ["a", "b"]}


@pytest.mark.parametrize(
    ("path", "body", "slug", "field"),
    [
        ("/plans/p", [], "body_is_object", None),
        ("/plans/p", {}, "parameter_required", "names"),
        ("/plans/p", {"names": "a"}, "parameter_well_formed", "names"),
        ("/plans/p", {"names": [], "id": "q"}, "parameter_known", "id"),
        ("/plans/p", {"names": [], "more": 1}, "parameter_known", "more"),
        ("/plans/p?names=a", {"names": []}, "parameter_known", "names"),
    ],
)
async def test_a_bad_object_in_the_body_is_refused_by_name(
    http: httpx.AsyncClient, path: str, body: Any, slug: str, field: str | None
) -> None:
    answer = await http.put(path, json=body)
    problem = answer.json()
    assert (answer.status_code, problem["type"].rpartition(":")[2]) == (422, slug)
    assert problem.get("params", {}).get("field") == field


@pytest.mark.parametrize("content_type", ["application/x-ndjson", "text/plain", None])
async def test_an_object_or_document_is_json_and_nothing_else(
    http: httpx.AsyncClient, content_type: str | None
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    for path in ("/plans/p", "/entries/a"):
        answer = await http.put(path, content=b"{}", headers=headers)
        assert (answer.status_code, "ndjson" in answer.json()["hint"]) == (415, False)


async def test_a_parameter_of_the_path_is_unknown_in_the_query_string(
    http: httpx.AsyncClient,
) -> None:
    answer = await http.get("/entries/a?name=b")
    assert answer.json()["params"] == {"field": "name", "known": ["depth"]}


def test_the_openapi_document_says_where_each_parameter_is() -> None:
    paths = document([(each.path, each.operation) for each in RESOURCES], "0")["paths"]
    assert set(paths["/entries/{name}"]) == {"get", "put", "delete"}
    named = {
        p["name"]: (p["in"], p["required"]) for p in paths["/entries/{name}"]["get"]["parameters"]
    }
    assert named == {"name": ("path", True), "depth": ("query", False)}
    plan = paths["/plans/{id}"]["put"]
    assert [p["name"] for p in plan["parameters"]] == ["id"]
    assert plan["requestBody"]["description"] == (
        "At most 8 MiB; may be sent with Content-Encoding: gzip."
    )
    body = plan["requestBody"]["content"][JSON]["schema"]
    assert (set(body["properties"]), body["required"]) == ({"names", "reason"}, ["names"])
    entry = paths["/entries/{name}"]["put"]["requestBody"]["content"]
    assert entry == {JSON: {"schema": ENTRY}}
