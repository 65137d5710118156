"""Silences and acknowledgements over REST and as tools, on one database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import msgspec
import psycopg
import pytest
from fastmcp import Client
from mcp_types import TextContent

from supervisor_mcp.config import Settings
from supervisor_mcp.mcp.server import create_mcp
from supervisor_mcp.operations import context as operations
from supervisor_mcp.operations.context import Context
from supervisor_mcp.rest.app import create_app
from tests.mcp.conftest import NOW
from tests.sql.raised_alerts import raise_alert
from tests.support.timescaledb import Server

Caller = Client[Any]
SILENCE = {
    "matchers": [{"name": "source", "operator": "=~", "value": "shop-.*"}],
    "to": "2025-06-15T13:00:00Z",
    "author": "ann",
    "comment": "update",
}
ACK = {"author": "ann", "until": "2025-06-15T13:00:00Z", "note": "restarting"}


@pytest.fixture(scope="module")
def alerts_url(database_server: Server) -> Iterator[str]:
    """DSN of a database with one alert."""
    with database_server.deployed() as url:
        with psycopg.connect(url, autocommit=True, prepare_threshold=None) as conn:
            raise_alert(conn, source="shop-1")
        yield url


@pytest.fixture
async def alerting(alerts_url: str, redis_url: str) -> AsyncIterator[Context]:
    settings = Settings(database_url=alerts_url, redis_url=redis_url, cache_ttl_seconds=1)
    async with operations.connected(operations.build(settings)) as connected:
        yield connected


@pytest.fixture
async def rest(alerting: Context) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(alerting, lambda: NOW))
    async with httpx.AsyncClient(transport=transport, base_url="http://rest") as connected:
        yield connected


@pytest.fixture
async def caller(alerting: Context) -> AsyncIterator[Caller]:
    async with Client(create_mcp(alerting, lambda: NOW)) as connected:
        yield connected


def answer_of(result: Any) -> Any:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return msgspec.json.decode(content.text)


async def active(rest: httpx.AsyncClient) -> Any:
    (alert,) = (await rest.get("/alerts/active")).json()["items"]
    return alert


async def test_a_silence_of_rest_is_the_same_to_a_tool(
    rest: httpx.AsyncClient, caller: Caller
) -> None:
    silenced = await rest.put("/alerts/silences/a", json=SILENCE)
    again = await caller.call_tool("silence_alerts", {"id": "a", **SILENCE})

    assert silenced.status_code == 200, silenced.text
    assert (silenced.json()["changed"], silenced.json()["alerts"]) == (True, 1)
    assert answer_of(again) == {**silenced.json(), "changed": False}
    assert (await active(rest))["silenced_by"] == ["a"]


async def test_a_silence_of_a_tool_is_listed_until_it_is_cancelled(
    rest: httpx.AsyncClient, caller: Caller
) -> None:
    silenced = answer_of(await caller.call_tool("silence_alerts", {"id": "b", **SILENCE}))
    listed = (await rest.get("/alerts/silences")).json()["items"]
    end = {"author": "bob", "comment": "done", "cancelled": True}
    cancelled = (await rest.put("/alerts/silences/b", json=end)).json()

    (found,) = [each for each in listed if each["id"] == "b"]
    assert [version["author"] for version in found.pop("versions")] == ["ann"]
    assert found == {
        name: value for name, value in silenced.items() if name not in {"changed", "alerts", "hint"}
    }
    assert (cancelled["status"], cancelled["author"]) == ("cancelled", "bob")
    assert "b" not in (await active(rest))["silenced_by"]


async def test_an_acknowledgement_of_rest_is_the_same_to_a_tool(
    rest: httpx.AsyncClient, caller: Caller
) -> None:
    alert = await active(rest)
    acked = await rest.post(f"/alerts/active/{alert['id']}/ack", json=ACK)
    again = await caller.call_tool("ack_alert", {"id": alert["id"], **ACK})

    assert acked.status_code == 200, acked.text
    assert answer_of(again) == acked.json()
    assert (await active(rest))["ack"] == acked.json()["ack"]


@pytest.mark.parametrize(
    ("change", "slug", "field"),
    [
        (
            {"matchers": [{"name": "a", "operator": "=~", "value": "("}]},
            "document_refused",
            "matchers[0].value",
        ),
        ({"matchers": [5]}, "document_refused", "matchers[0]"),
        ({"matchers": "source=web"}, "parameter_well_formed", "matchers"),
        ({"matchers": None}, "document_refused", "matchers"),
        ({"to": None}, "silence_closed", "to"),
        ({"author": None}, "parameter_required", "author"),
        ({"until": 5}, "parameter_known", "until"),
        ({"comment": ""}, "comment_in_range", "comment"),
    ],
)
async def test_rest_and_the_tool_refuse_the_same_silence(
    rest: httpx.AsyncClient, caller: Caller, change: dict[str, Any], slug: str, field: str
) -> None:
    silence = {**SILENCE, **change}
    from_rest = (await rest.put("/alerts/silences/c", json=silence)).json()
    result = await caller.call_tool("silence_alerts", {"id": "c", **silence}, raise_on_error=False)

    assert result.is_error
    from_mcp = answer_of(result)
    assert (from_rest["type"].rpartition(":")[2], from_rest["params"]["field"]) == (slug, field)
    assert (from_mcp["type"], from_mcp["detail"]) == (from_rest["type"], from_rest["detail"])


@pytest.mark.parametrize(
    ("id_", "change", "slug", "field"),
    [
        ("0123456789abcdef", {}, "alert_unknown", "id"),
        ("0123456789abcdef", {"author": None}, "parameter_required", "author"),
        ("0123456789abcdef", {"until": "2025-06-15T12:00:00Z"}, "until_in_future", "until"),
        ("0123456789abcdef", {"note": 5}, "parameter_well_formed", "note"),
    ],
)
async def test_rest_and_the_tool_refuse_the_same_acknowledgement(
    rest: httpx.AsyncClient,
    caller: Caller,
    id_: str,
    change: dict[str, Any],
    slug: str,
    field: str,
) -> None:
    from_rest = (await rest.post(f"/alerts/active/{id_}/ack", json={**ACK, **change})).json()
    arguments = {"id": id_, **ACK, **change}
    result = await caller.call_tool("ack_alert", arguments, raise_on_error=False)

    assert result.is_error
    from_mcp = answer_of(result)
    assert (from_rest["type"].rpartition(":")[2], from_rest["params"]["field"]) == (slug, field)
    assert (from_mcp["type"], from_mcp["detail"]) == (from_rest["type"], from_rest["detail"])
