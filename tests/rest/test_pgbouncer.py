"""The service behind PgBouncer in transaction mode, where a session is one of many clients."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.support import pgbouncer, web_server
from tests.support.debian import Unavailable
from tests.support.events import Events
from tests.support.timescaledb import Server

CLIENTS = 8
BATCHES = 5


@pytest.fixture(scope="module")
def http(
    database_server: Server, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A client of a service of two workers that knows the database by PgBouncer only."""
    folder = tmp_path_factory.mktemp("pgbouncer")
    try:
        with (
            database_server.deployed() as url,
            pgbouncer.start(folder, url) as pooled,
            web_server.start(pooled, valkey_url, folder / "log") as server,
            httpx.Client(base_url=server.url, timeout=60) as client,
        ):
            yield client
    except Unavailable as reason:
        pytest.skip(str(reason))


def test_what_many_clients_send_at_once_is_stored_once(http: httpx.Client, name: str) -> None:
    now = time.time()

    def send(client: int) -> int:
        return sum(
            http.post(
                "/ingest/metrics",
                json=[
                    {"name": name, "source": f"s{client}", "value": 1, "ts": now - batch * 10 - n}
                    for n in range(10)
                ],
            ).json()["accepted"]
            for batch in range(BATCHES)
        )

    with ThreadPoolExecutor(CLIENTS) as threads:
        assert sum(threads.map(send, range(CLIENTS))) == CLIENTS * BATCHES * 10
    answer = http.get("/query/agg", params={"kind": name, "window": "7d"}).json()
    assert answer["count"] == CLIENTS * BATCHES * 10


def test_a_stream_has_what_others_store(http: httpx.Client, fact_kind: str) -> None:
    with http.stream("GET", "/facts/stream", params={"kind": fact_kind}) as stream:
        http.post("/ingest/facts", json={"kind": fact_kind, "source": "shop", "fact_id": "1"})
        (event,) = Events(stream).take(1)
    assert event.data["fact_id"] == "1"


def test_a_question_in_sql_leaves_nothing_in_the_session_of_the_next(http: httpx.Client) -> None:
    for _ in range(8):
        answer = http.post("/query/sql", json={"sql": "select current_setting('role') as role"})
        assert answer.status_code == 200, answer.text
    assert http.get("/query/kinds").status_code == 200
    assert http.get("/readyz").json()["status"] == "ready"
