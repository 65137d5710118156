"""An ingest to which the database does not answer: what it says, and that repeating is safe."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any

import httpx
import psycopg
import pytest
from fastmcp import Client
from mcp_types import CallToolResult, TextContent

from tests.rest.conftest import slug_of
from tests.support import web_server
from tests.support.timescaledb import Server
from tests.support.valkey import Valkey
from tests.support.waiting import eventually

LIMIT_SECONDS = 2
FACT = {"kind": "Fact:Held", "source": "a", "fact_id": "2"}
FACTS = {"kind": "Fact:Held", "window": "7d"}
METRIC = {"name": "m", "source": "a", "value": 1}
DOCUMENT = {"description": "d", "version": "1"}
WINDOW = {
    "servers": ["acme/watched"],
    "from": "2026-01-01T00:00:00Z",
    "to": "2026-01-02T00:00:00Z",
    "author": "ann",
    "reason": "update",
}
REGISTRY: list[tuple[str, str, object, str]] = [
    ("PUT", "/registry/servers/acme/changed", DOCUMENT, "whether it is registered"),
    ("DELETE", "/registry/servers/acme/gone", None, "whether the registration has ended"),
]
HEALTH: list[tuple[str, str, object, str]] = [
    ("PUT", "/health/maintenance/held", WINDOW, "whether the window is planned"),
    ("POST", "/registry/heartbeats", {"names": ["acme/watched"]}, "whether it is renewed"),
    ("POST", "/registry/servers/acme/watched/heartbeat", None, "whether it is renewed"),
]
SERVERS = ("acme/changed", "acme/gone", "acme/watched")
# On a server with many sessions, only what the requests use is held.
HOLD = (
    "lock table data.fact_identity, data.sample, data.every_server in exclusive mode",
    "lock table data.health_state, data.every_maintenance, data.every_kind"
    " in access exclusive mode",
)


@pytest.fixture(scope="module")
def database_url(database_server: Server) -> Iterator[str]:
    with database_server.deployed() as url:
        yield url


@pytest.fixture(scope="module")
def impatient(
    database_url: str, valkey_server: Valkey, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Base URL of a service whose calls of the database may take two seconds."""
    settings = {"SUPERVISOR_STATEMENT_TIMEOUT_SECONDS": str(LIMIT_SECONDS)}
    log = tmp_path_factory.mktemp("impatient") / "log"
    with web_server.start(
        database_url, valkey_server.own(), log, workers=1, settings=settings
    ) as server:
        yield server.url


@pytest.fixture(scope="module")
def unanswered(impatient: str, database_url: str) -> dict[tuple[str, str], Any]:
    """What is said to all requests of this module, sent at once to a database that does not answer.

    By their methods and paths, or by the name of the tool.
    """
    requests: list[tuple[str, str, object]] = [
        ("POST", "/ingest/facts", FACT),
        ("GET", "/query/agg?window=7d", None),
        *(case[:3] for case in (*REGISTRY, *HEALTH)),
    ]
    with httpx.Client(base_url=impatient, timeout=60) as http, ThreadPoolExecutor(16) as pool:
        ready: list[tuple[str, str, object]] = [
            ("POST", "/ingest/facts", {**FACT, "fact_id": "1"}),
            *(("PUT", f"/registry/servers/{server}", DOCUMENT) for server in SERVERS),
            ("GET", "/query/agg?kind=Fact:Held&window=7d", None),
        ]
        # The first requests of a server may take longer.
        for method, path, body in ready:
            eventually(partial(succeeds, http, method, path, body), path, seconds=60)
        # As many connections as there are requests.
        wait([pool.submit(http.get, "/query/kinds") for _ in range(16)])
        with psycopg.connect(database_url, prepare_threshold=None) as holder:
            for statement in HOLD:
                holder.execute(statement.encode())
            sent: dict[tuple[str, str], Future[Any]] = {
                (method, path): pool.submit(http.request, method, path, json=body)
                for method, path, body in requests
            }
            sent["MCP", "ingest_metric"] = pool.submit(asyncio.run, call_tool(impatient))
            wait(sent.values())
            holder.rollback()
        return {request: answer.result() for request, answer in sent.items()}


def succeeds(http: httpx.Client, method: str, path: str, body: object) -> bool:
    return http.request(method, path, json=body).is_success


async def call_tool(url: str) -> CallToolResult:
    async with Client(f"{url}/mcp") as client:
        result: CallToolResult = await client.call_tool_mcp("ingest_metric", METRIC)
    return result


def test_a_timeout_says_that_the_outcome_is_unknown_and_a_retry_is_counted_once(
    unanswered: dict[tuple[str, str], Any], impatient: str
) -> None:
    answer = unanswered["POST", "/ingest/facts"]
    assert (answer.status_code, slug_of(answer)) == (504, "too_slow")
    problem = answer.json()
    assert problem["detail"].endswith("whether the items are stored is unknown")
    assert "Idempotency-Key" in problem["hint"]

    with httpx.Client(base_url=impatient, timeout=60) as http:
        receipt = http.post("/ingest/facts", json=FACT).json()
        assert receipt["accepted"] + receipt["duplicate"] == 1
        assert http.get("/query/agg", params=FACTS).json()["count"] == 2


def test_a_tool_says_the_same(unanswered: dict[tuple[str, str], Any]) -> None:
    result = unanswered["MCP", "ingest_metric"]
    assert result.is_error
    (content,) = result.content
    assert isinstance(content, TextContent)
    problem: dict[str, Any] = json.loads(content.text)
    assert problem["status"] in {503, 504}
    assert problem["detail"].endswith("whether the items are stored is unknown")


@pytest.mark.parametrize(("method", "path", "body", "said"), REGISTRY)
def test_a_change_of_the_registry_whose_outcome_is_unknown_can_be_sent_again(
    unanswered: dict[tuple[str, str], Any],
    impatient: str,
    method: str,
    path: str,
    body: object,
    said: str,
) -> None:
    expect_unknown(unanswered[method, path], said)
    assert httpx.request(method, f"{impatient}{path}", json=body, timeout=60).status_code == 200


@pytest.mark.parametrize(("method", "path", "body", "said"), HEALTH)
def test_what_is_written_about_health_can_be_sent_again(
    unanswered: dict[tuple[str, str], Any],
    impatient: str,
    method: str,
    path: str,
    body: object,
    said: str,
) -> None:
    expect_unknown(unanswered[method, path], said)
    assert httpx.request(method, f"{impatient}{path}", json=body, timeout=60).status_code == 200


def expect_unknown(answer: httpx.Response, said: str) -> None:
    assert answer.status_code in {503, 504}
    assert answer.json()["detail"].endswith(f"{said} is unknown")
    assert answer.json()["hint"].startswith("Send the request again")


def test_a_question_that_takes_too_long_says_how_to_ask_for_less(
    unanswered: dict[tuple[str, str], Any],
) -> None:
    answer = unanswered["GET", "/query/agg?window=7d"]
    assert answer.status_code in {503, 504}
    assert "stored" not in answer.json()["detail"]
