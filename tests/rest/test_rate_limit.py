"""How many requests an identity may send, over REST and MCP."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.rest.conftest import slug_of
from tests.support import web_server
from tests.support.timescaledb import Server
from tests.support.valkey import Valkey

KEY = "the key of the operator, long enough"
BURST = 3
CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
ACCEPTED = {"Accept": "application/json, text/event-stream"}


@pytest.fixture(scope="module")
def limited(
    database_server: Server, valkey_server: Valkey, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A client with the key of a service where a new token takes a thousand seconds."""
    log = tmp_path_factory.mktemp("limited") / "log"
    settings = {
        "SUPERVISOR_AUTHENTICATION": "on",
        "SUPERVISOR_ADMIN_KEY": KEY,
        "SUPERVISOR_KEY_SECRET": "another secret, which digests keys",
        "SUPERVISOR_REQUESTS_PER_SECOND": "0.001",
        "SUPERVISOR_REQUESTS_BURST": str(BURST),
    }
    with (
        database_server.deployed() as database_url,
        web_server.start(database_url, valkey_server.own(), log, settings=settings) as server,
        httpx.Client(base_url=server.url, headers={"X-API-Key": KEY}, timeout=60) as http,
    ):
        yield http


def test_an_identity_sees_what_is_left_and_is_refused_over_every_face(
    limited: httpx.Client,
) -> None:
    answers = [limited.get("/query/kinds") for _ in range(BURST - 1)]
    answers.append(limited.post("/mcp", json=CALL, headers=ACCEPTED))
    assert [answer.status_code for answer in answers] == [200] * BURST
    assert [answer.headers["ratelimit"] for answer in answers] == [
        f'"requests";r={left}' for left in (2, 1, 0)
    ]
    assert answers[0].headers["ratelimit-policy"] == '"requests";q=3;w=3000'

    refused = limited.get("/query/kinds")
    assert (refused.status_code, slug_of(refused)) == (429, "requests_within_limit")
    wait = int(refused.headers["retry-after"])
    assert 990 <= wait <= 1000
    assert refused.headers["ratelimit"] == f'"requests";r=0;t={wait}'
    assert limited.post("/mcp", json=CALL, headers=ACCEPTED).status_code == 429


def test_the_probes_of_an_orchestrator_are_not_counted(limited: httpx.Client) -> None:
    assert {limited.get("/livez").status_code for _ in range(2 * BURST)} == {200}
    assert "ratelimit" not in limited.get("/livez").headers
