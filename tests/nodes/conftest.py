"""Two nodes of the service on one database and one cache, behind a proxy that takes turns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import httpx
import psycopg
import pytest
from psycopg import Connection

from tests.support import proxy, web_server
from tests.support.timescaledb import Server
from tests.support.valkey import Valkey

ADMIN_KEY = "a key of the operator, which is long enough"
# Of one identity: no token comes back while the tests run.
BURST = 200


@dataclass(frozen=True)
class Nodes:
    """Both nodes by their own URLs, and together by that of the proxy."""

    url: str
    each: tuple[str, str]
    database_url: str

    def client(self, key: str, url: str | None = None) -> httpx.Client:
        """A client of which every request is a new connection, so that it reaches the next node."""
        return httpx.Client(
            base_url=url or self.url,
            headers={"X-API-Key": key},
            limits=httpx.Limits(max_keepalive_connections=0),
            timeout=60,
        )

    def create_key(self) -> tuple[str, str]:
        """The id and the text of a key with every scope, of an owner who has no other."""
        body = {"owner": f"owner-{uuid4().hex[:8]}", "scopes": ["read", "ingest", "admin"]}
        with self.client(ADMIN_KEY) as http:
            answer = http.post("/access/keys", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["id"], answer.json()["key"]


@pytest.fixture(scope="package")
def nodes(
    database_server: Server, valkey_server: Valkey, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Nodes]:
    folder = tmp_path_factory.mktemp("nodes")
    redis_url = valkey_server.own()
    settings = {
        "SUPERVISOR_AUTHENTICATION": "on",
        "SUPERVISOR_ADMIN_KEY": ADMIN_KEY,
        "SUPERVISOR_REQUESTS_PER_SECOND": "0.001",
        "SUPERVISOR_REQUESTS_BURST": str(BURST),
        "SUPERVISOR_DELIVERY": "true",
        "SUPERVISOR_DELIVERY_ALLOWED": "127.0.0.0/8",
    }
    with (
        database_server.deployed() as url,
        web_server.start(url, redis_url, folder / "one", workers=1, settings=settings) as one,
        web_server.start(url, redis_url, folder / "two", workers=1, settings=settings) as two,
        proxy.round_robin(one.url, two.url) as both,
    ):
        yield Nodes(both, (one.url, two.url), url)


@pytest.fixture
def key(nodes: Nodes) -> str:
    """A key of an identity of this test's own."""
    return nodes.create_key()[1]


@pytest.fixture
def http(nodes: Nodes, key: str) -> Iterator[httpx.Client]:
    """A client whose requests reach one node and the other in turn."""
    with nodes.client(key) as client:
        yield client


@pytest.fixture
def conn(nodes: Nodes) -> Iterator[Connection]:
    with psycopg.connect(nodes.database_url, autocommit=True, prepare_threshold=None) as connected:
        yield connected


@pytest.fixture
def fact_kind() -> str:
    """A fact kind that no other test uses."""
    return f"Fact:Kind{uuid4().hex[:12]}"
