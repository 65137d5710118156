"""What one node stores, the other one answers with: at once, or within seconds without Redis."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import redis

from tests.support import proxy, valkey, web_server
from tests.support.proxy import Proxy
from tests.support.timescaledb import Server
from tests.support.valkey import PATIENCE
from tests.support.waiting import eventually

# The bound, and what a busy machine adds; an answer that stays stale is kept for a minute.
SECONDS = 2.0 + 5.0
CANNOT = "cache: Redis cannot be reached"


@dataclass(frozen=True)
class Node:
    """A node, and its own way to Redis."""

    http: httpx.Client
    door: Proxy

    def store(self, kind: str, *names: str, key: str | None = None) -> httpx.Response:
        items = [{"kind": kind, "source": kind, "fact_id": name} for name in names]
        headers = {} if key is None else {"Idempotency-Key": key}
        answer = self.http.post("/ingest/facts", json=items, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer

    def count(self, kind: str) -> int:
        answer = self.http.get("/query/agg", params={"kind": kind, "window": "7d"})
        assert answer.status_code == 200, answer.text
        return int(answer.json()["count"])

    def becomes(self, kind: str, expected: int) -> None:
        eventually(lambda: self.count(kind) == expected, "the fresh answer", seconds=SECONDS)

    def reasons(self) -> list[str]:
        found: list[str] = self.http.get("/readyz").json()["reasons"]
        return found

    def cut_off(self) -> None:
        self.door.refusing = True
        self.door.drop()

    def move(self, port: int) -> None:
        """Lead to another Redis, as a failover does."""
        self.door.lead_to(("127.0.0.1", port))
        self.door.drop()

    def let_in(self) -> None:
        self.door.refusing = False
        eventually(lambda: not self.reasons(), "the connection to Redis")


@dataclass(frozen=True)
class Shared:
    """What nodes have in common."""

    database_url: str
    primary: int
    replica: int

    def kept(self, kind: str) -> int:
        """The count of the answer that the primary Redis keeps."""
        with redis.Redis(port=self.primary) as client:
            return int(json.loads(client.get(f"supervisor:agg:{kind}:7d") or b"{}")["count"])


@pytest.fixture(scope="module")
def shared(database_server: Server) -> Iterator[Shared]:
    """A database, and a Redis with a replica."""
    with (
        database_server.deployed() as database_url,
        valkey.alone(repl_diskless_sync_delay="0") as primary,
        valkey.alone(replicaof=f"127.0.0.1 {primary}") as replica,
    ):
        yield Shared(database_url, primary, replica)


@pytest.fixture(scope="module")
def nodes(shared: Shared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Node]]:
    folder = tmp_path_factory.mktemp("coherence")
    with node(shared, folder / "one") as one, node(shared, folder / "two") as two:
        yield one, two


@pytest.fixture
def one(nodes: tuple[Node, Node]) -> Node:
    return nodes[0]


@pytest.fixture
def two(nodes: tuple[Node, Node]) -> Node:
    return nodes[1]


@contextmanager
def node(shared: Shared, log: Path) -> Iterator[Node]:
    """Run a node with a way of its own to the primary Redis."""
    with proxy.in_thread(f"redis://127.0.0.1:{shared.primary}") as door:
        url = f"redis://127.0.0.1:{door.port}/0?{PATIENCE}"
        with (
            web_server.start(shared.database_url, url, log, workers=1) as server,
            httpx.Client(base_url=server.url, timeout=60) as http,
        ):
            yield Node(http, door)


@pytest.fixture
def kind() -> str:
    return f"Fact:Kind{uuid4().hex[:12]}"


def test_what_one_node_acknowledged_is_in_the_next_answer_of_the_other(
    one: Node, two: Node, kind: str
) -> None:
    for number in range(1, 41):
        writer, reader = (one, two) if number % 2 else (two, one)
        writer.store(kind, str(number))
        assert (reader.count(kind), writer.count(kind)) == (number, number)


def test_a_batch_that_is_sent_to_both_nodes_at_once_is_stored_once(
    one: Node, two: Node, kind: str
) -> None:
    names = [f"{number}" for number in range(20)]
    with ThreadPoolExecutor(8) as pool:
        sent = [
            pool.submit(each.store, kind, f"{name}a", f"{name}b", key=f"{kind}:{name}")
            for name in names
            for each in (one, two)
        ]
        receipts = [each.result().json() for each in sent]
    assert [receipts[place] for place in range(0, 40, 2)] == receipts[1::2]
    assert (one.count(kind), two.count(kind)) == (40, 40)


def test_a_node_that_is_cut_off_from_redis_leaves_no_stale_answer_and_says_so(
    one: Node, two: Node, shared: Shared, kind: str
) -> None:
    one.store(kind, "a")
    assert two.count(kind) == 1
    one.cut_off()
    try:
        one.store(kind, "b")
        assert (shared.kept(kind), one.count(kind)) == (1, 2)
        two.becomes(kind, 2)
        assert one.reasons() == [CANNOT]
        two.store(kind, "c")
        one.becomes(kind, 3)
    finally:
        one.let_in()
    assert (one.count(kind), two.count(kind)) == (3, 3)


def test_a_node_that_ends_with_an_invalidation_unsent_leaves_no_stale_answer(
    two: Node, shared: Shared, kind: str, tmp_path: Path
) -> None:
    with node(shared, tmp_path / "log") as ending:
        ending.store(kind, "a")
        assert two.count(kind) == 1
        ending.cut_off()
        ending.store(kind, "b")
    two.becomes(kind, 2)


def test_a_failover_of_redis_that_loses_the_last_write_leaves_no_stale_answer(
    one: Node, two: Node, shared: Shared, kind: str
) -> None:
    with redis.Redis(port=shared.primary) as primary, redis.Redis(port=shared.replica) as replica:
        one.store(kind, "a")
        assert two.count(kind) == 1
        eventually(lambda: replica.get(f"supervisor:agg:{kind}:7d"), "the copy")
        # What comes now is lost.
        replica.replicaof("NO", "ONE")
        one.store(kind, "b")
        assert primary.get(f"supervisor:agg:{kind}:7d") is None
        try:
            for each in (one, two):
                each.move(shared.replica)
            assert json.loads(replica.get(f"supervisor:agg:{kind}:7d") or b"{}")["count"] == 1
            one.becomes(kind, 2)
            two.becomes(kind, 2)
            assert (one.reasons(), two.reasons()) == ([], [])
        finally:
            for each in (one, two):
                each.move(shared.primary)
            replica.replicaof("127.0.0.1", str(shared.primary))
