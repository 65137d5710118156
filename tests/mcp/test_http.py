"""The official client against a real server process with two workers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import httpx
import httpx2
import msgspec
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent

from supervisor_mcp.config import Settings
from supervisor_mcp.mcp.answers import LARGEST_BYTES
from tests.mcp.test_stdio import snippet
from tests.mcp.test_tools import NAMES
from tests.support import web_server
from tests.support.timescaledb import Server
from tests.support.valkey import Valkey

SESSIONS = 16
CALLS = 320
MODES = ["auto", "legacy"]


@pytest.fixture(scope="module")
def url(
    database_server: Server, valkey_server: Valkey, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A service of two workers on a database of this module's own."""
    log = tmp_path_factory.mktemp("http") / "log"
    with (
        database_server.deployed() as database_url,
        web_server.start(database_url, valkey_server.own(), log) as service,
    ):
        yield service.url


def structured(result: CallToolResult) -> dict[str, Any]:
    assert not result.is_error, result.content
    assert isinstance(result.structured_content, dict)
    return result.structured_content


@pytest.mark.parametrize("mode", MODES)
async def test_a_client_lists_and_calls_tools_reads_resources_and_prompts(
    url: str, mode: str
) -> None:
    async with Client(f"{url}/mcp", mode=mode) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == NAMES
        item = {"name": f"depth_{mode}", "source": "a", "value": 3}
        assert structured(await client.call_tool("ingest_metric", item))["accepted"] == 1
        query = {"kind": f"depth_{mode}", "window": "1h"}
        answer = structured(await client.call_tool("query_agg", query))
        assert answer["count"] == 1
        (content,) = (await client.read_resource(f"supervisor://agg/depth_{mode}/1h")).contents
        assert msgspec.json.decode(content.text) == answer  # type: ignore[union-attr]
        prompt = await client.get_prompt("weekly_kpi_report", {})
        assert "query_kpis" in str(prompt.messages)


@pytest.mark.parametrize("mode", MODES)
async def test_calls_of_sixteen_sessions_at_once_are_all_kept(url: str, mode: str) -> None:
    kind = f"Fact:Call.{mode}"

    async def session(number: int) -> int:
        accepted = 0
        async with Client(f"{url}/mcp", mode=mode) as client:
            for call in range(number, CALLS, SESSIONS):
                fact = {
                    "kind": kind,
                    "source": f"s{number}",
                    "fact_id": f"{mode}-{call}",
                    "value": 1,
                }
                receipt = structured(await client.call_tool("ingest_fact", fact))
                accepted += receipt["accepted"]
        return accepted

    accepted = await asyncio.gather(*(session(number) for number in range(SESSIONS)))
    assert sum(accepted) == CALLS
    async with Client(f"{url}/mcp", mode=mode) as client:
        query = {"kind": kind, "window": "24h", "group_by": "source"}
        answer = structured(await client.call_tool("query_agg", query))
    assert (answer["count"], answer["sum"], len(answer["groups"])) == (CALLS, CALLS, SESSIONS)


@pytest.mark.parametrize("mode", MODES)
async def test_what_one_session_stores_every_other_sees_at_once(url: str, mode: str) -> None:
    kind = f"seen_{mode}"
    async with Client(f"{url}/mcp", mode=mode) as writer, Client(f"{url}/mcp", mode=mode) as reader:
        for stored in range(1, 31):
            item = {"name": kind, "source": "a", "value": stored}
            structured(await writer.call_tool("ingest_metric", item))
            query = {"kind": kind, "window": "1h"}
            answer = structured(await reader.call_tool("query_agg", query))
            assert (answer["count"], answer["last"]) == (stored, stored)


@pytest.mark.parametrize("mode", MODES)
async def test_progress_of_a_batch_reaches_the_client(url: str, mode: str) -> None:
    reported: list[float] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        assert (total, bool(message)) == (100, True)
        reported.append(progress)

    items = [{"name": f"batch_{mode}", "source": "a", "value": i, "ts": i} for i in range(100)]
    async with Client(f"{url}/mcp", mode=mode) as client:
        await client.call_tool(
            "ingest_metrics", {"items": items, "partial": True}, progress_callback=note
        )
    assert reported == [0, 100]


@pytest.mark.parametrize("tool", ["ingest_metric", "ingest_metrics", "ingest_fact", "ingest_facts"])
async def test_a_call_that_is_repeated_with_its_key_stores_nothing_more(
    url: str, tool: str
) -> None:
    name, kind = ("kind", f"Fact:{tool}") if "fact" in tool else ("name", tool)
    # Without a time, what is sent again would be stored again.
    item = {name: kind, "source": "a", "value": 1}
    sent = {"items": [item]} if tool.endswith("s") else item
    async with Client(f"{url}/mcp") as client:
        for _ in range(2):
            arguments = {**sent, "idempotency_key": kind}
            assert structured(await client.call_tool(tool, arguments))["accepted"] == 1
        answer = structured(await client.call_tool("query_agg", {"kind": kind, "window": "1h"}))
    assert answer["count"] == 1


@pytest.mark.parametrize("partial", [False, True])
async def test_a_batch_with_a_bad_item_is_stored_in_part_or_not_at_all(
    url: str, partial: bool
) -> None:
    kind = f"partial_{partial}"
    good, bad = {"name": kind, "source": "a", "value": 1}, {"name": kind, "source": "a"}
    async with Client(f"{url}/mcp") as client:
        await client.call_tool("ingest_metric", {**good, "ts": time.time() - 60})
        arguments = {"items": [good, bad], "partial": partial}
        result = await client.call_tool("ingest_metrics", arguments)
        assert result.is_error is not partial
        answer = structured(await client.call_tool("query_agg", {"kind": kind, "window": "1h"}))
    assert answer["count"] == (2 if partial else 1)


async def test_a_page_is_cut_until_it_fits(url: str) -> None:
    now = time.time()
    # The newest are the largest: a share of the items has more than that share of the bytes.
    sizes = [60_000] * 30 + [10] * 4
    facts = [
        {"kind": "Fact:Cut", "source": "a", "ts": now - n, "payload": {"text": "x" * size}}
        for n, size in enumerate(sizes)
    ]
    async with Client(f"{url}/mcp") as client, httpx.AsyncClient(base_url=url) as rest:
        (await rest.post("/ingest/facts", json=facts)).raise_for_status()
        result = await client.call_tool("query_facts", {"kind": "Fact:Cut"})
    (content,) = result.content
    assert isinstance(content, TextContent)
    assert 0.9 * LARGEST_BYTES < len(content.text.encode()) <= LARGEST_BYTES
    assert structured(result)["next_cursor"] is not None


@pytest.mark.parametrize("mode", MODES)
async def test_rest_and_mcp_answer_the_same_bytes_from_the_cache(url: str, mode: str) -> None:
    item = {"name": f"same_{mode}", "source": "a", "value": 3}
    async with Client(f"{url}/mcp", mode=mode) as client, httpx.AsyncClient(base_url=url) as rest:
        (await rest.post("/ingest/metrics", json=item)).raise_for_status()
        query = {"kind": f"same_{mode}", "window": "7d"}
        answer = await rest.get("/query/agg", params=query)
        (content,) = (await client.call_tool("query_agg", query)).content
    assert isinstance(content, TextContent)
    assert f"{content.text}\n" == answer.text


@pytest.mark.parametrize("mode", MODES)
async def test_a_problem_names_the_request_that_the_answers_header_names(
    url: str, mode: str
) -> None:
    seen: list[str] = []

    async def note(response: httpx2.Response) -> None:
        seen.append(response.headers["x-request-id"])

    async with httpx2.AsyncClient(event_hooks={"response": [note]}) as http:
        transport = streamable_http_client(f"{url}/mcp", http_client=http)
        async with Client(transport, mode=mode) as client:
            result = await client.call_tool("query_agg", {"window": "week"})
    (content,) = result.content
    assert isinstance(content, TextContent)
    assert msgspec.json.decode(content.text)["request_id"] in seen


async def test_a_page_of_another_origin_is_refused(url: str) -> None:
    async with httpx.AsyncClient() as http:
        answer = await http.post(f"{url}/mcp", headers={"Origin": "https://elsewhere.example"})
        assert answer.status_code == 403
        answer = await http.post(f"{url}/mcp", headers={"Host": "elsewhere.example"})
        assert answer.status_code == 421


async def test_rest_answers_beside_mcp(url: str) -> None:
    async with httpx.AsyncClient() as http:
        assert (await http.get(f"{url}/mcp")).status_code == 405
        assert (await http.get(f"{url}/livez")).status_code == 200


async def test_the_snippet_for_a_running_service_names_its_default_address(url: str) -> None:
    (server,) = snippet("http")["mcpServers"].values()
    fresh = Settings.model_fields
    default = f"http://{fresh['host'].default}:{fresh['port'].default}"
    assert server["url"].startswith(default)
    async with Client(server["url"].replace(default, url)) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == NAMES
