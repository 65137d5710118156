"""Keys over REST: they are created, listed, rotated, revoked and refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from supervisor_mcp.credentials import keys
from tests.rest.conftest import slug_of
from tests.support import web_server
from tests.support.timescaledb import Server
from tests.support.waiting import eventually

KEYS = "/access/keys"


@pytest.fixture
def owner() -> str:
    """An owner that no other test uses."""
    return f"owner-{uuid4().hex[:12]}"


def create(http: httpx.Client, owner: str, **more: Any) -> dict[str, Any]:
    """The answer to a key that is created."""
    answer = http.post(KEYS, json={"owner": owner, "scopes": ["read"], **more})
    assert answer.status_code == 200, answer.text
    created: dict[str, Any] = answer.json()
    return created


def listed(http: httpx.Client, owner: str, **filters: str) -> list[dict[str, Any]]:
    """The keys of an owner."""
    answer = http.get(KEYS, params={"owner": owner, **filters})
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def test_a_key_is_created_listed_rotated_and_revoked(http: httpx.Client, owner: str) -> None:
    created = create(http, owner, scopes=["ingest"], sources=["shop-mcp"])
    assert created["key"].startswith(f"sk_{created['id']}_")
    rotated = http.post(f"{KEYS}/{created['id']}/rotation", json={"grace": "1h"}).json()
    assert (rotated["rotated_from"], rotated["sources"]) == (created["id"], ["shop-mcp"])
    assert rotated["key"] != created["key"]
    assert [each["id"] for each in listed(http, owner, active="true")] == [
        rotated["id"],
        created["id"],
    ]
    revoked = http.delete(f"{KEYS}/{created['id']}", params={"reason": "moved"}).json()
    assert (revoked["status"], revoked["outcome"]) == ("revoked", "revoked")
    again = http.delete(f"{KEYS}/{created['id']}").json()
    assert (again["outcome"], again["reason"]) == ("unchanged", "moved")
    assert [each["id"] for each in listed(http, owner, active="false")] == [created["id"]]


def test_a_key_is_shown_once_and_kept_by_nobody(http: httpx.Client, owner: str, log: Path) -> None:
    answer = http.post(KEYS, json={"owner": owner, "scopes": ["read"]})
    key = answer.json()["key"]
    assert keys.parse(key) is not None
    assert answer.headers["Cache-Control"] == "no-store"
    found = http.get(KEYS, params={"owner": owner}).text
    ended = http.delete(f"{KEYS}/{answer.json()['id']}").text
    assert key[12:] not in found + ended + log.read_text()


def test_a_repeated_request_creates_one_key_and_does_not_show_it_again(
    http: httpx.Client, owner: str
) -> None:
    headers = {"Idempotency-Key": uuid4().hex}
    body = {"owner": owner, "scopes": ["read"]}
    first = http.post(KEYS, json=body, headers=headers).json()
    second = http.post(KEYS, json=body, headers=headers)
    assert first["key"] not in second.text
    assert {name: second.json()[name] for name in ("id", "outcome", "key")} == {
        "id": first["id"],
        "outcome": "unchanged",
        "key": None,
    }
    assert "rotation" in second.json()["hint"]
    assert len(listed(http, owner)) == 1
    other = http.post(KEYS, json={**body, "scopes": ["admin"]}, headers=headers)
    assert (other.status_code, slug_of(other)) == (409, "idempotency_key_reused")


def test_a_key_that_was_rotated_names_its_successor(http: httpx.Client, owner: str) -> None:
    path = f"{KEYS}/{create(http, owner)['id']}/rotation"
    successor = http.post(path, json={}).json()["id"]
    again = http.post(path, json={})
    assert (again.status_code, slug_of(again)) == (409, "key_rotated_once")
    assert again.json()["params"] == {"rotated_to": successor, "field": "id"}


@pytest.mark.parametrize(
    ("more", "slug", "field"),
    [
        ({"scopes": ["write"]}, "scopes_known", "scopes"),
        ({"scopes": "read"}, "parameter_well_formed", "scopes"),
        ({"sources": ["a"]}, "sources_of_ingest", "sources"),
        ({"namespace": "Acme"}, "namespace_well_formed", "namespace"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_in_future", "expires_at"),
        ({"expires": "90d"}, "parameter_known", "expires"),
    ],
)
def test_a_wrong_key_is_refused_with_its_field(
    http: httpx.Client, owner: str, more: dict[str, Any], slug: str, field: str
) -> None:
    answer = http.post(KEYS, json={"owner": owner, "scopes": ["read"], **more})
    assert (answer.status_code, slug_of(answer)) == (422, slug)
    assert answer.json()["params"]["field"] == field
    assert answer.json()["hint"]
    assert listed(http, owner) == []


@pytest.mark.parametrize("method", ["DELETE", "POST"])
def test_an_unknown_key_is_not_found_and_no_secret_shown(
    http: httpx.Client, method: str, log: Path
) -> None:
    sent = keys.make()
    path = f"{KEYS}/{sent.text}" + ("/rotation" if method == "POST" else "")
    answer = http.request(method, path, json={} if method == "POST" else None)
    assert (answer.status_code, slug_of(answer)) == (404, "key_unknown")
    assert sent.text not in answer.text
    eventually(lambda: f"sk_{sent.id}_…" in log.read_text())
    assert sent.text[12:] not in log.read_text()


def test_a_service_without_a_secret_creates_no_key(database_server: Server, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with (
        database_server.deployed() as url,
        web_server.start(url, None, log, workers=1, settings={"SUPERVISOR_KEY_SECRET": ""}) as own,
    ):
        answer = httpx.post(own.url + KEYS, json={"owner": "ann", "scopes": ["read"]})
    assert (answer.status_code, slug_of(answer)) == (501, "key_secret_set")
    assert "SUPERVISOR_KEY_SECRET_FILE" in answer.json()["hint"]
