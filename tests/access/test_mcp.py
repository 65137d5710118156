"""Who calls a tool, reads a resource, completes or listens, and what they may do."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import httpx2
import psycopg
import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp.client.subscriptions import SubscriptionLost
from mcp_types import CallToolResult, ResourceTemplateReference, TextContent

from tests.access.conftest import ADMIN_KEY, Service
from tests.mcp.test_tools import NAMES
from tests.support.waiting import eventually_async

MODES = ["auto", "legacy"]
Keys = Callable[[str], str]
FACT = {"kind": "Fact:Access", "source": "shop"}


@asynccontextmanager
async def connected(
    service: Service, credentials: str, mode: str = "auto", header: str = "Authorization"
) -> AsyncIterator[Client]:
    """The official client with a key or a token."""
    value = credentials if header == "X-API-Key" else f"Bearer {credentials}"
    async with httpx2.AsyncClient(headers={header: value}, timeout=30) as http:
        transport = streamable_http_client(f"{service.url}/mcp", http_client=http)
        async with Client(transport, mode=mode) as client:
            yield client


def problem_of(result: CallToolResult) -> dict[str, Any]:
    assert result.is_error
    (content,) = result.content
    assert isinstance(content, TextContent)
    problem: dict[str, Any] = json.loads(content.text)
    return problem


def slug_of(problem: dict[str, Any]) -> str:
    return str(problem["type"]).rpartition(":")[2]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
async def test_a_key_calls_the_tools_of_its_scope(
    service: Service, keys: Keys, mode: str, header: str
) -> None:
    async with connected(service, keys("read"), mode, header) as client:
        listed = {tool.name for tool in (await client.list_tools()).tools}
        read = await client.call_tool("list_kinds", {})
        stored = problem_of(await client.call_tool("ingest_fact", FACT))
        managed = problem_of(await client.call_tool("list_keys", {}))

    assert not read.is_error
    assert (stored["status"], slug_of(stored)) == (403, "scope_sufficient")
    assert stored["params"] == {"scope": "ingest"}
    assert managed["params"] == {"scope": "admin"}
    assert "list_kinds" in listed
    assert not listed & {"ingest_fact", "heartbeat", "list_keys", "create_key", "subscribe"}


async def test_the_scopes_of_tools_add_up(service: Service, keys: Keys) -> None:
    seen = {}
    for scope in ("read", "ingest", "admin"):
        async with connected(service, keys(scope)) as client:
            seen[scope] = {tool.name for tool in (await client.list_tools()).tools}

    assert seen["admin"] == NAMES
    assert not seen["read"] & seen["ingest"]
    assert {"backtest_alert_rule", "query_agg"} <= seen["read"]
    assert seen["ingest"] == {
        *("ingest_fact", "ingest_facts", "ingest_metric", "ingest_metrics"),
        *("register_server", "heartbeat", "report_health"),
    }


@pytest.mark.parametrize("mode", MODES)
async def test_a_token_is_the_identity_of_the_tool(service: Service, mode: str) -> None:
    token = service.issuer.token(sub=f"carl-{mode}", scope="admin")
    async with connected(service, token, mode) as client:
        result = await client.call_tool("create_key", {"owner": "carl", "scopes": ["read"]})
        assert not result.is_error, result.content

    with psycopg.connect(service.database_url) as conn:
        found = conn.execute(
            "select count(*) from data.api_key where created_by = %s", [f"carl-{mode}"]
        ).fetchone()
    assert found == (1,)


@pytest.mark.parametrize("mode", MODES)
async def test_calls_at_once_are_each_of_their_own_sender(
    service: Service, keys: Keys, mode: str
) -> None:
    bound = [service.key("ingest", sources=[f"s{n}"]) for n in range(4)]

    async def call(number: int) -> list[bool]:
        async with connected(service, bound[number], mode) as client:
            fact = {"kind": "Fact:Crowd"}
            results = [
                await client.call_tool("ingest_fact", {**fact, "source": f"s{other}"})
                for other in range(4)
            ]
        return [not result.is_error for result in results]

    stored = await asyncio.gather(*(call(number) for number in range(4)))

    assert stored == [[other == own for other in range(4)] for own in range(4)]


@pytest.mark.parametrize("mode", MODES)
async def test_resources_and_completions_need_read(service: Service, keys: Keys, mode: str) -> None:
    reference = ResourceTemplateReference(
        type="ref/resource", uri="supervisor://agg/{kind}/{window}"
    )
    argument = {"name": "kind", "value": "Fact"}
    async with connected(service, keys("read"), mode) as client:
        assert (await client.read_resource("supervisor://kinds")).contents
        await client.complete(reference, argument)
    async with connected(service, keys("ingest"), mode) as client:
        for asked in (
            client.read_resource("supervisor://kinds"),
            client.complete(reference, argument),
        ):
            with pytest.raises(MCPError) as caught:
                await asked
            assert slug_of(caught.value.error.data) == "scope_sufficient"
        assert (await client.get_prompt("weekly_kpi_report", {})).messages


async def test_listening_needs_read(service: Service, keys: Keys) -> None:
    async with connected(service, keys("ingest")) as client:
        with pytest.raises(MCPError):
            async with client.listen(resource_subscriptions=["supervisor://alerts/active"]):
                pass


async def test_a_client_with_a_revoked_key_listens_no_more(service: Service) -> None:
    created = service.create_key("read")
    async with (
        connected(service, created["key"]) as client,
        client.listen(resource_subscriptions=["supervisor://alerts/active"]) as updates,
    ):
        service.revoke(created["id"])
        revoked_at = time.monotonic()
        # The end of the answer is an error or the end of the updates.
        with suppress(SubscriptionLost, StopAsyncIteration):
            await asyncio.wait_for(anext(updates), 10)

        assert time.monotonic() - revoked_at < 3
    assert "Exception in ASGI application" not in service.log.read_text()


@pytest.mark.parametrize("credentials", [None, "sk_wrong", "a.b.c"])
def test_without_good_credentials_the_status_is_401(
    service: Service, credentials: str | None
) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    with service.http(credentials) as http:
        answer = http.post("/mcp", json=body)

    assert answer.status_code == 401
    assert answer.json()["status"] == 401
    named = answer.headers["www-authenticate"]
    assert f'resource_metadata="{service.url}/.well-known/oauth-protected-resource/mcp"' in named


@pytest.mark.parametrize("path", ["", "/mcp"])
def test_the_metadata_names_the_issuer_and_the_scopes(service: Service, path: str) -> None:
    answer = httpx.get(f"{service.url}/.well-known/oauth-protected-resource{path}")

    assert answer.status_code == 200
    metadata = answer.json()
    assert metadata["resource"] == f"{service.url}/mcp"
    assert [url.rstrip("/") for url in metadata["authorization_servers"]] == [service.issuer.url]
    assert metadata["scopes_supported"] == ["read", "ingest", "admin"]
    assert metadata["bearer_methods_supported"] == ["header"]


@pytest.mark.parametrize("path", ["/mcp/other", "/other", "/"])
def test_nothing_else_is_below_the_metadata(service: Service, path: str) -> None:
    answer = httpx.get(f"{service.url}/.well-known/oauth-protected-resource{path}")

    assert answer.status_code == 401


async def test_the_bootstrap_key_may_do_everything(service: Service) -> None:
    async with connected(service, ADMIN_KEY) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == NAMES


async def test_a_revoked_key_is_refused_within_a_second(service: Service) -> None:
    created = service.create_key("read")
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    accept = {"Accept": "application/json, text/event-stream"}
    with service.http(created["key"]) as http:
        assert http.post("/mcp", json=body, headers=accept).status_code == 200
        service.revoke(created["id"])

        async def refused() -> bool:
            return http.post("/mcp", json=body, headers=accept).status_code == 401

        await eventually_async(refused, seconds=1.5)


async def test_a_key_that_a_tool_creates_is_not_logged(service: Service) -> None:
    async with connected(service, ADMIN_KEY) as client:
        result = await client.call_tool("create_key", {"owner": "dora", "scopes": ["read"]})

    assert isinstance(result.structured_content, dict)
    key = result.structured_content["key"]
    assert key.startswith("sk_")
    assert key[12:] not in service.log.read_text()
