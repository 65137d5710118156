"""Who a request to REST is of, and what they may do."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor_mcp.credentials import keys as key_format
from supervisor_mcp.rest.app import OPERATIONS
from supervisor_mcp.rest.operation import Operation
from tests.access.conftest import ADMIN_KEY, SCOPES, Service
from tests.rest.conftest import slug_of
from tests.support.events import follow
from tests.support.waiting import eventually

OPEN = ["/", "/livez", "/readyz", "/openapi.json"]
INGEST = {
    *("ingest_metrics", "ingest_facts", "register_server", "heartbeat", "heartbeat_server"),
    "report_health",
}
# What asks with a body, and what reads who has access or the URLs of webhooks.
READING = {"backtest_alert_rule", "suggest_threshold", "query_sql"}
FOR_ADMINS = {"list_keys", "list_audit", "list_subscriptions", "get_subscription", "doctor"}

Keys = Callable[[str], str]


def expected_scope(operation: Operation[Any]) -> str:
    """The scope that the documents state."""
    if operation.name in INGEST:
        return "ingest"
    if operation.name in FOR_ADMINS:
        return "admin"
    return "read" if operation.method == "get" or operation.name in READING else "admin"


GUARDED = [(path, operation) for path, operation in OPERATIONS if path not in OPEN]


@pytest.mark.parametrize("path", OPEN)
def test_some_paths_need_no_credentials(service: Service, path: str) -> None:
    with service.http(None) as http:
        assert http.get(path).status_code == 200
        assert http.head(path).status_code == 200


@pytest.mark.parametrize(
    ("path", "operation"), GUARDED, ids=lambda value: getattr(value, "name", "")
)
def test_every_other_operation_needs_credentials_and_its_scope(
    service: Service, keys: Keys, path: str, operation: Operation[Any]
) -> None:
    asked = path.replace("{name}", "none").replace("{id}", "none")
    scope = expected_scope(operation)

    def ask(credentials: str | None) -> httpx.Response:
        with (
            service.http(credentials) as http,
            http.stream(operation.method, asked) as answer,
        ):
            # A stream has no end.
            if not answer.is_success:
                answer.read()
            return answer

    assert slug_of(ask(None)) == "credentials_required"
    for held in SCOPES:
        answer = ask(keys(held))
        if held in (scope, "admin"):
            assert answer.status_code not in (401, 403)
        else:
            assert (answer.status_code, slug_of(answer)) == (403, "scope_sufficient")
            assert answer.json()["params"] == {"scope": scope}
            assert f'scope="{scope}"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize("path", ["/nowhere", "/livez/", "/mcp", "/mcp/", "/docs"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "TRACE"])
def test_nothing_else_answers_without_credentials(service: Service, method: str, path: str) -> None:
    with service.http(None) as http:
        answer = http.request(method, path)

    assert (answer.status_code, slug_of(answer)) == (401, "credentials_required")
    assert answer.headers["www-authenticate"].startswith("Bearer realm=")


@pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
def test_a_key_is_taken_in_either_header(service: Service, keys: Keys, header: str) -> None:
    sent = keys("read") if header == "X-API-Key" else f"bearer  {keys('read')}"
    answer = httpx.get(f"{service.url}/query/kinds", headers={header: sent})

    assert answer.status_code == 200


def test_the_same_key_in_both_headers_is_one(service: Service, keys: Keys) -> None:
    with service.http(keys("read")) as http:
        assert http.get("/query/kinds", headers={"X-API-Key": keys("read")}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        [("Authorization", "Bearer {read}"), ("X-API-Key", "{admin}")],
        [("Authorization", "Bearer {read}"), ("Authorization", "Bearer {admin}")],
        [("Authorization", "Bearer {read}"), ("X-API-Key", "sk_nothing")],
        [("Authorization", "Basic YTpi"), ("X-API-Key", "{read}")],
        [("Authorization", "Basic YTpi")],
        [("Authorization", "{read}")],
        [("X-API-Key", "Bearer {read}")],
        [("X-API-Key", "sk_00000000_" + "A" * 43)],
        [("Authorization", "Bearer a.b.c")],
    ],
)
def test_bad_or_contradicting_credentials_are_refused(
    service: Service, keys: Keys, headers: list[tuple[str, str]]
) -> None:
    held = {scope: keys(scope) for scope in SCOPES}
    sent = [(name, value.format(**held)) for name, value in headers]

    answer = httpx.get(f"{service.url}/query/kinds", headers=sent)

    assert (answer.status_code, slug_of(answer)) == (401, "credentials_valid")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    assert not any(key in answer.text + str(answer.headers) for key in held.values())


@pytest.mark.parametrize("headers", [{"Authorization": "Bearer"}, {"X-API-Key": ""}])
def test_empty_credentials_are_none(service: Service, headers: dict[str, str]) -> None:
    answer = httpx.get(f"{service.url}/query/kinds", headers=headers)

    assert slug_of(answer) == "credentials_required"
    assert "error=" not in answer.headers["www-authenticate"]


@settings(max_examples=30, deadline=None)
@given(place=st.integers(0, 54), change=st.characters(min_codepoint=33, max_codepoint=126))
def test_a_tampered_key_is_refused(service: Service, keys: Keys, place: int, change: str) -> None:
    key = keys("read")
    tampered = key[:place] + change + key[place + 1 :]
    with service.http(tampered) as http:
        status = http.get("/query/kinds").status_code

    assert status == (200 if tampered == key else 401)


def test_a_page_of_a_listed_origin_can_ask_first_and_read_a_refusal(service: Service) -> None:
    origin = {"Origin": "https://app.example"}
    asking = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-api-key"}
    with service.http(None) as http:
        preflight = http.options("/query/kinds", headers={**origin, **asking})
        refused = http.get("/query/kinds", headers=origin)

    assert preflight.status_code == 200
    assert "x-api-key" in preflight.headers["access-control-allow-headers"].lower()
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == "https://app.example"
    assert "WWW-Authenticate" in refused.headers["access-control-expose-headers"]


def test_the_scope_is_checked_before_the_body_is_there(service: Service, keys: Keys) -> None:
    parts = urlsplit(service.url)
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=10) as client:
        head = (
            "POST /ingest/facts HTTP/1.1",
            f"Host: {parts.netloc}",
            f"Authorization: Bearer {keys('read')}",
            "Content-Type: application/json",
            "Content-Length: 1000000",
        )
        client.sendall("\r\n".join((*head, "", "[")).encode())
        assert client.recv(1000).startswith(b"HTTP/1.1 403 ")


def test_a_token_is_taken_on_rest(service: Service) -> None:
    with service.http(service.issuer.token(scope="read")) as http:
        assert http.get("/query/kinds").status_code == 200
        assert slug_of(http.get("/access/keys")) == "scope_sufficient"


def test_an_expired_token_is_refused_soon(service: Service) -> None:
    leeway = 30
    token = service.issuer.token(exp=int(time.time()) - leeway + 3)
    with service.http(token) as http:
        assert http.get("/query/kinds").status_code == 200
        eventually(lambda: http.get("/query/kinds").status_code == 401, seconds=10)


def test_a_revoked_key_is_refused_by_every_worker_within_a_second(service: Service) -> None:
    created = service.create_key("read")
    # New connections reach both workers.
    headers = {"X-API-Key": created["key"], "Connection": "close"}

    def statuses() -> set[int]:
        return {
            httpx.get(f"{service.url}/query/kinds", headers=headers).status_code for _ in range(12)
        }

    assert statuses() == {200}
    service.revoke(created["id"])
    revoked_at = time.monotonic()
    while time.monotonic() < revoked_at + 1:
        statuses()

    assert statuses() == {401}


CREATE = b'{"owner": "too-late", "scopes": ["admin"]}'
CALL = (
    b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call",'
    b' "params": {"name": "create_key", "arguments": %b}}' % CREATE
)


@pytest.mark.parametrize(("path", "body"), [("/access/keys", CREATE), ("/mcp", CALL)])
def test_a_key_that_is_revoked_while_it_sends_a_body_changes_nothing(
    service: Service, path: str, body: bytes
) -> None:
    created = service.create_key("admin")
    parts = urlsplit(service.url)
    head = (
        f"POST {path} HTTP/1.1",
        f"Host: {parts.netloc}",
        f"Authorization: Bearer {created['key']}",
        "Content-Type: application/json",
        "Accept: application/json, text/event-stream",
        "Connection: close",
        f"Content-Length: {len(body)}",
    )
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=10) as client:
        client.sendall("\r\n".join((*head, "", "")).encode() + body[:5])
        service.revoke(created["id"])
        revoked_at = time.monotonic()
        eventually(lambda: time.monotonic() > revoked_at + 1)
        client.sendall(body[5:])
        answer = client.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"credentials_valid" in answer
    with service.http() as http:
        assert not http.get("/access/keys", params={"owner": "too-late"}).json()["items"]


def test_the_stream_of_a_revoked_key_ends(service: Service) -> None:
    created = service.create_key("read")
    url = f"{service.url}/facts/stream"
    with (
        httpx.Client(headers={"X-API-Key": created["key"]}, timeout=15) as http,
        follow(http, url) as events,
    ):
        service.revoke(created["id"])
        revoked_at = time.monotonic()
        assert not list(events)

    assert time.monotonic() - revoked_at < 3


def test_a_bound_key_stores_nothing_of_another_source(service: Service) -> None:
    key = service.key("ingest", sources=["shop"])
    items = [{"kind": "Fact:Bound", "source": source} for source in ("shop", "bank")]
    with service.http(key) as http:
        answer = http.post("/ingest/facts", json=items)
        kept = http.post("/ingest/facts", params={"partial": "true"}, json=items)

    assert (answer.status_code, slug_of(answer)) == (403, "source_of_key")
    assert answer.json()["params"]["field"] == "source"
    assert answer.json()["params"]["sources"] == ["shop"]
    assert [each["index"] for each in answer.json()["params"]["items"]] == [1]
    assert kept.json()["accepted"] == 1


def test_a_bound_token_speaks_for_its_own_server_alone(service: Service) -> None:
    token = service.issuer.token(scope="ingest", supervisor_sources=["shop"])
    document = {"description": "Test", "version": "1.0.0"}
    with service.http(token) as http, service.http() as admin:
        own = http.put("/registry/servers/bound%2Fshop", json={**document, "source": "shop"})
        foreign = http.put("/registry/servers/bound%2Fbank", json={**document, "source": "bank"})
        admin.put("/registry/servers/bound%2Fbank", json={**document, "source": "bank"})
        beats = [
            http.post(f"/registry/servers/bound%2F{name}/heartbeat").status_code
            for name in ("shop", "bank")
        ]

    assert own.status_code == 200
    assert slug_of(foreign) == "source_of_key"
    assert beats == [200, 403]


def test_two_senders_do_not_get_the_answers_of_each_other(service: Service) -> None:
    answers = []
    for name in ("one", "two"):
        with service.http(service.key("ingest")) as http:
            body = [{"kind": "Fact:Once", "source": name}]
            for _ in range(2):
                sent = http.post("/ingest/facts", json=body, headers={"Idempotency-Key": "same"})
                answers.append(sent.json()["accepted"])

    assert answers == [1, 1, 1, 1]


def test_the_log_names_no_credentials(service: Service, keys: Keys) -> None:
    token = service.issuer.token()
    for sent in (keys("read"), token, "sk_wrong", ADMIN_KEY):
        with service.http(sent) as http:
            http.get("/query/kinds")
            http.get("/query/kinds", params={"limit": "many"})
            http.get("/nowhere")

    log = service.log.read_text()
    assert '"path": "/query/kinds"' in log or '"path":"/query/kinds"' in log
    secrets = [keys(scope) for scope in SCOPES] + [token, token.rpartition(".")[2], ADMIN_KEY]
    assert not [secret for secret in secrets if secret in log]
    assert not [key_format.PREFIX for secret in secrets[:3] if secret[12:] in log]


def test_the_document_states_scopes_and_schemes(service: Service) -> None:
    with service.http(None) as http:
        document = http.get("/openapi.json").json()

    assert set(document["components"]["securitySchemes"]) == {"bearer", "key"}
    for path, operation in OPERATIONS:
        described = document["paths"][path][operation.method]
        scopes = [each for scheme in described["security"] for each in scheme.values()]
        needed = [] if path in OPEN else [[expected_scope(operation)]] * 2
        assert scopes == needed
        assert {"401", "403"} <= set(described["responses"])


def test_last_use_is_noted(service: Service) -> None:
    created = service.create_key("read")
    with service.http(created["key"]) as http:
        http.get("/query/kinds")

    def used() -> object:
        with service.http() as http:
            items = http.get("/access/keys", params={"owner": created["owner"]}).json()["items"]
        return items[0]["last_used_at"]

    eventually(used, "the last use", seconds=15)
