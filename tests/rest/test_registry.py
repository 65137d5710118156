"""The registry over REST: names in paths, documents as bodies, facts and the cache."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.rest.conftest import slug_of

DOCUMENT: dict[str, Any] = {"description": "Searches the shop", "version": "1.0.0"}


@pytest.fixture
def server() -> str:
    """A name that no other test uses."""
    return f"io.github.acme/s{uuid4().hex[:12]}"


@pytest.mark.parametrize("slash", ["/", "%2F"])
def test_a_server_is_registered_read_and_deregistered(
    http: httpx.Client, server: str, slash: str
) -> None:
    path = f"/registry/servers/{server.replace('/', slash)}"
    assert http.put(path, json=DOCUMENT).json()["outcome"] == "created"
    assert http.get(path).json()["document"] == {**DOCUMENT, "name": server}
    deregistered = http.delete(path)
    assert (deregistered.status_code, deregistered.json()["name"]) == (200, server)
    assert http.get(path).json()["version"] is None


def test_an_update_is_a_fact_that_the_next_aggregate_has(http: httpx.Client, server: str) -> None:
    def count() -> int:
        answer = http.get("/query/agg?kind=Fact:ServerVersionChanged&window=1h")
        return int(answer.json().get("count", 0))

    path = f"/registry/servers/{server}"
    for version in ("1", "2"):
        http.put(path, json={**DOCUMENT, "version": version})
    before = count()
    for version in ("3", "4", "5"):
        http.put(path, json={**DOCUMENT, "version": version})
        before += 1
        assert count() == before
    facts = http.get("/query/facts", params={"subject": server}).json()["items"]
    assert facts[0]["payload"] == {"from": "4", "to": "5"}
    assert {fact["source"] for fact in facts} == {"supervisor"}


def test_a_document_is_refused_with_all_its_fields(http: httpx.Client, server: str) -> None:
    document = {"version": "~1", "remotes": [{"type": "sse", "url": "acme"}]}
    answer = http.put(f"/registry/servers/{server}", json=document)
    assert (answer.status_code, slug_of(answer)) == (422, "document_refused")
    problem = answer.json()
    assert problem["detail"] == "invalid fields: description, remotes[0].url, version"
    fields = [fault["field"] for fault in problem["params"]["faults"]]
    assert fields == ["description", "remotes[0].url", "version"]


def test_an_owned_server_is_a_conflict(http: httpx.Client, server: str) -> None:
    path = f"/registry/servers/{server}"
    http.put(path, json={**DOCUMENT, "owner": "acme"})
    for answer in (http.put(path, json=DOCUMENT), http.delete(path, params={"owner": "other"})):
        assert (answer.status_code, slug_of(answer)) == (409, "server_owned")
    assert http.delete(path, params={"owner": "acme"}).status_code == 200


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_server_is_not_found(http: httpx.Client, server: str, method: str) -> None:
    http.put(f"/registry/servers/{server}", json=DOCUMENT)
    answer = http.request(method, f"/registry/servers/{server}x")
    assert (answer.status_code, slug_of(answer)) == (404, "server_unknown")
    assert answer.json()["params"]["nearest"] == server


@pytest.mark.parametrize("name", ["a b/c", "%C3%A4/b", "a/b%20c"])
def test_a_malformed_name_is_refused_by_name(http: httpx.Client, name: str) -> None:
    answer = http.put(f"/registry/servers/{name}", json=DOCUMENT)
    assert (answer.status_code, slug_of(answer)) == (422, "document_refused")
    assert answer.json()["params"]["field"] == "name"


def test_the_list_is_filtered_and_has_pages(http: httpx.Client, server: str) -> None:
    tag = uuid4().hex
    names = [f"{server}-{number}" for number in range(5)]
    for name in names:
        http.put(f"/registry/servers/{name}", json={**DOCUMENT, "tags": [tag]})
    found: list[str] = []
    params = {"tag": tag, "limit": "2"}
    while True:
        page = http.get("/registry/servers", params=params).json()
        found += [item["name"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert found == names


def test_a_request_that_is_counted_has_the_path_without_the_name(
    http: httpx.Client, server: str
) -> None:
    http.get(f"/registry/servers/{server}")
    exposed = http.get("/metrics").text
    assert 'route="/registry/servers/{name}"' in exposed
    assert server not in exposed
