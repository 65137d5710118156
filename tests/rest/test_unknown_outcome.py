"""An ingest to which the database does not answer: what it says, and that repeating is safe."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest
from fastmcp import Client
from mcp_types import TextContent

from tests.rest.conftest import slug_of
from tests.support import web_server
from tests.support.timescaledb import Server
from tests.support.valkey import Valkey
from tests.support.waiting import eventually

LIMIT_SECONDS = 2
# Past the limit and its grace of 2 s.
HELD_SECONDS = LIMIT_SECONDS + 2.5


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


@contextmanager
def held(database_url: str) -> Iterator[None]:
    with psycopg.connect(database_url, prepare_threshold=None) as holder:
        # On a server with many sessions, only what an ingest writes to is held.
        holder.execute("lock table data.fact_identity, data.sample in exclusive mode")
        yield


def test_a_timeout_says_that_the_outcome_is_unknown_and_a_retry_is_counted_once(
    impatient: str, database_url: str, fact_kind: str
) -> None:
    item = {"kind": fact_kind, "source": "a", "fact_id": "2"}
    question = {"kind": fact_kind, "window": "7d"}
    with httpx.Client(base_url=impatient, timeout=60) as http, ThreadPoolExecutor() as pool:
        http.post("/ingest/facts", json={**item, "fact_id": "1"})
        # The first question of a server may take longer.
        eventually(lambda: http.get("/query/agg", params=question).json().get("count") == 1)
        with held(database_url):
            posted = pool.submit(http.post, "/ingest/facts", json=item)
            wait([posted], HELD_SECONDS)
        answer = posted.result()
        assert (answer.status_code, slug_of(answer)) == (504, "too_slow")
        problem = answer.json()
        assert problem["detail"].endswith("whether the items are stored is unknown")
        assert "Idempotency-Key" in problem["hint"]

        receipt = http.post("/ingest/facts", json=item).json()
        assert receipt["accepted"] + receipt["duplicate"] == 1
        assert http.get("/query/agg", params=question).json()["count"] == 2


async def test_a_tool_says_the_same(impatient: str, database_url: str) -> None:
    async with Client(f"{impatient}/mcp") as client:
        arguments = {"name": "m", "source": "a", "value": 1}
        with held(database_url):
            result = await client.call_tool("ingest_metric", arguments, raise_on_error=False)
        assert result.is_error
        (content,) = result.content
        assert isinstance(content, TextContent)
        problem: dict[str, Any] = json.loads(content.text)
        assert problem["status"] in {503, 504}
        assert problem["detail"].endswith("whether the items are stored is unknown")


@pytest.mark.parametrize(
    ("method", "said"),
    [("PUT", "whether it is registered"), ("DELETE", "whether the registration has ended")],
)
def test_a_change_of_the_registry_whose_outcome_is_unknown_can_be_sent_again(
    impatient: str, database_url: str, method: str, said: str
) -> None:
    document = {"description": "d", "version": "1"}
    body = document if method == "PUT" else None
    url = f"{impatient}/registry/servers/acme/held"
    httpx.put(url, json=document, timeout=60)
    with psycopg.connect(database_url, prepare_threshold=None) as holder:
        holder.execute("lock table data.every_server in exclusive mode")
        answer = httpx.request(method, url, json=body, timeout=60)
        holder.rollback()
    assert answer.status_code in {503, 504}
    assert answer.json()["detail"].endswith(f"{said} is unknown")
    assert answer.json()["hint"].startswith("Send the request again")
    assert httpx.request(method, url, json=body, timeout=60).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        (
            "PUT",
            "/health/maintenance/held",
            {
                "servers": ["acme/watched"],
                "from": "2026-01-01T00:00:00Z",
                "to": "2026-01-02T00:00:00Z",
                "author": "ann",
                "reason": "update",
            },
            "whether the window is planned",
        ),
        ("POST", "/registry/heartbeats", {"names": ["acme/watched"]}, "whether it is renewed"),
        ("POST", "/registry/servers/acme/watched/heartbeat", None, "whether it is renewed"),
    ],
)
def test_what_is_written_about_health_can_be_sent_again(
    impatient: str, database_url: str, method: str, path: str, body: object, said: str
) -> None:
    document = {"description": "d", "version": "1"}
    httpx.put(f"{impatient}/registry/servers/acme/watched", json=document, timeout=60)
    with psycopg.connect(database_url, prepare_threshold=None) as holder:
        holder.execute(
            "lock table data.health_state, data.every_maintenance in access exclusive mode"
        )
        answer = httpx.request(method, f"{impatient}{path}", json=body, timeout=60)
        holder.rollback()
    assert answer.status_code in {503, 504}
    assert answer.json()["detail"].endswith(f"{said} is unknown")
    assert answer.json()["hint"].startswith("Send the request again")
    assert httpx.request(method, f"{impatient}{path}", json=body, timeout=60).status_code == 200


def test_a_question_that_takes_too_long_says_how_to_ask_for_less(
    impatient: str, database_url: str
) -> None:
    with psycopg.connect(database_url, prepare_threshold=None) as holder:
        holder.execute("lock table data.every_kind in access exclusive mode")
        answer = httpx.get(f"{impatient}/query/agg?window=7d", timeout=60)
        holder.rollback()
    assert answer.status_code in {503, 504}
    assert "stored" not in answer.json()["detail"]
