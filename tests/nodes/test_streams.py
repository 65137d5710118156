"""Streams of facts that both nodes store."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.support.events import follow

PATH = "/facts/stream"
FACTS = 40


def store(http: httpx.Client, kind: str, *names: str) -> None:
    items = [{"kind": kind, "source": kind, "fact_id": name} for name in names]
    http.post("/ingest/facts", json=items).raise_for_status()


def test_streams_of_both_nodes_have_every_fact_once(http: httpx.Client, fact_kind: str) -> None:
    wanted = [str(number) for number in range(FACTS)]
    with (
        follow(http, PATH, kind=fact_kind) as one,
        follow(http, PATH, kind=fact_kind) as two,
        ThreadPoolExecutor(4) as pool,
    ):
        list(pool.map(lambda name: store(http, fact_kind, name), wanted))
        for events in (one, two):
            received = [event.data["fact_id"] for event in events.take(FACTS)]
            assert sorted(received, key=int) == wanted


def test_a_client_goes_on_at_the_other_node_and_gets_every_fact_once(
    http: httpx.Client, fact_kind: str
) -> None:
    wanted = [str(number) for number in range(FACTS)]
    chance = random.Random(14)
    received: list[str] = []
    with follow(http, PATH, kind=fact_kind) as events:
        position = events.last_event_id
    with ThreadPoolExecutor(2) as pool:
        stored = pool.map(lambda name: store(http, fact_kind, name), wanted)
        while len(received) < FACTS:
            # The next node in turn, unless a store came between.
            with follow(http, PATH, position, kind=fact_kind) as events:
                wish = min(chance.randint(1, 9), FACTS - len(received))
                received += [event.data["fact_id"] for event in events.take(wish)]
                position = events.last_event_id
        list(stored)
    assert sorted(received, key=int) == wanted
