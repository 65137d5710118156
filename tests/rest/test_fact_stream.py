"""GET /facts/stream: facts as they are stored, once each, whatever happens to a connection."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Signal
from urllib.parse import urlsplit

import httpx
import pytest

from supervisor_mcp.server.launch import WebServer
from tests.rest.conftest import slug_of
from tests.support import web_server
from tests.support.events import follow
from tests.support.timescaledb import Server
from tests.support.waiting import eventually

PATH = "/facts/stream"
CLIENTS = 4
INGESTS = 24


@dataclass(frozen=True)
class Alone:
    """A service, and how long its start took here and now."""

    server: WebServer
    start_seconds: float

    @property
    def url(self) -> str:
        """Where it answers."""
        return self.server.url


def store(http: httpx.Client, kind: str, *names: str, **more: object) -> None:
    items = [{"kind": kind, "source": kind, "fact_id": name, **more} for name in names]
    http.post("/ingest/facts", json=items).raise_for_status()


@pytest.fixture
def alone(database_server: Server, tmp_path: Path) -> Iterator[Alone]:
    """A service of one process that serves two streams."""
    settings = {"SUPERVISOR_STREAMS": "2"}
    with database_server.deployed() as url:
        began = time.monotonic()
        with web_server.start(url, None, tmp_path / "log", workers=1, settings=settings) as server:
            yield Alone(server, start_seconds=time.monotonic() - began)


def test_facts_come_as_they_are_stored(http: httpx.Client, fact_kind: str) -> None:
    store(http, fact_kind, "before")
    with follow(http, PATH, kind=fact_kind) as events:
        assert events.answer.headers["content-type"] == "text/event-stream"
        for n in range(3):
            store(http, fact_kind, f"{n}", value=n)
            (event,) = events.take(1)
            assert event.name == "fact"
            assert (event.data["fact_id"], event.data["value"]) == (f"{n}", n)


def test_a_client_that_comes_back_goes_on_after_its_last_event(
    http: httpx.Client, fact_kind: str
) -> None:
    with follow(http, PATH, kind=fact_kind) as events:
        store(http, fact_kind, "a", "b", "c")
        events.take(2)
    store(http, fact_kind, "d")
    with follow(http, PATH, events.last_event_id, kind=fact_kind) as events:
        assert [event.data["fact_id"] for event in events.take(2)] == ["c", "d"]


def test_a_client_that_got_no_event_can_come_back_too(http: httpx.Client, fact_kind: str) -> None:
    with follow(http, PATH, kind=fact_kind) as events:
        pass
    assert events.last_event_id is not None
    store(http, fact_kind, "a")
    with follow(http, PATH, events.last_event_id, kind=fact_kind) as events:
        assert events.take(1)[0].data["fact_id"] == "a"


def test_filters_leave_other_facts_out(http: httpx.Client, fact_kind: str) -> None:
    with follow(http, PATH, kind=fact_kind, subject="ann") as events:
        store(http, f"{fact_kind}X", "1", subject="ann")
        store(http, fact_kind, "2", subject="bob")
        store(http, fact_kind, "3", subject="ann")
        assert events.take(1)[0].data["fact_id"] == "3"


def test_a_payload_of_several_lines_is_one_event(http: httpx.Client, fact_kind: str) -> None:
    payload = {"text": "one\ntwo\r\n\u2028three\u0085", "more": ["", None]}
    with follow(http, PATH, kind=fact_kind) as events:
        store(http, fact_kind, "a", payload=payload)
        assert events.take(1)[0].data["payload"] == payload


def test_a_quiet_stream_sends_signs_of_life_that_keep_the_position(
    http: httpx.Client, fact_kind: str
) -> None:
    with follow(http, PATH, kind=fact_kind) as events:
        before = events.last_event_id
        store(http, f"{fact_kind}X", "left out")
        started = time.monotonic()
        assert next(events).data is None
        assert time.monotonic() - started < 15
        assert events.last_event_id != before


def test_a_position_of_another_database_is_answered_with_what_is_missing(
    http: httpx.Client, fact_kind: str
) -> None:
    end = 10**15
    with follow(http, PATH, f"{end}:{end}:/0/0/1700000000", kind=fact_kind) as events:
        (missing,) = events.take(1)
        assert missing.name == "missing"
        assert missing.data["from"] == "2023-11-14T22:13:20+00:00"
        store(http, fact_kind, "a")
        assert events.take(1)[0].data["fact_id"] == "a"


def test_an_id_that_no_event_had_is_refused(http: httpx.Client) -> None:
    answer = http.get(PATH, headers={"Last-Event-ID": "7"})
    assert (answer.status_code, slug_of(answer)) == (422, "last_event_id_well_formed")
    assert answer.json()["params"]["field"] == "last_event_id"


def test_a_client_of_json_is_refused(http: httpx.Client) -> None:
    answer = http.get(PATH, headers={"Accept": "application/json"})
    assert (answer.status_code, slug_of(answer)) == (406, "accept_unknown")


def test_head_answers_without_a_stream(http: httpx.Client) -> None:
    answer = http.head(PATH)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream")


def test_more_streams_than_the_limit_are_refused_until_a_client_leaves(
    alone: Alone,
) -> None:
    with httpx.Client(base_url=alone.url) as http:
        for _ in range(3):
            http.head(PATH)
        with follow(http, PATH):
            with follow(http, PATH):
                answer = http.get(PATH)
                assert (answer.status_code, slug_of(answer)) == (503, "streams_within_limit")
                assert answer.headers["retry-after"] == "1"

            def is_taken() -> bool:
                with http.stream("GET", PATH) as again:
                    return again.status_code == 200

            eventually(is_taken, seconds=2)


def test_a_stop_ends_streams_and_does_not_wait_for_their_clients(
    alone: Alone,
) -> None:
    host = urlsplit(alone.url)
    request = f"GET {PATH} HTTP/1.1\r\nHost: {host.netloc}\r\n\r\n".encode()
    with (
        httpx.Client(base_url=alone.url, timeout=20) as http,
        socket.create_connection((host.hostname, host.port)) as still,
        follow(http, PATH) as events,
    ):
        still.sendall(request)
        still.recv(1)
        started = time.monotonic()
        with ThreadPoolExecutor(1) as pool:
            stopping = pool.submit(alone.server.stop)
            # To the end of the answer: the connection is not cut.
            assert all(event.data is None for event in events)
            assert stopping.result() == 0
        # It is shorter than a start is, on whatever else the machine does; waiting takes 10 s.
        assert time.monotonic() - started < max(3, alone.start_seconds)


def test_clients_that_come_and_go_get_every_fact_once(http: httpx.Client, fact_kind: str) -> None:
    with follow(http, PATH, kind=fact_kind) as events:
        beginning = events.last_event_id
    sent = [[f"{n}-{m}" for m in range(n % 7 + 1)] for n in range(INGESTS)]
    wanted = sorted(name for names in sent for name in names)
    failed = Signal()

    def read(seed: int) -> list[str]:
        chance = random.Random(seed)
        received: list[str] = []
        position = beginning
        while len(received) < len(wanted) and not failed.is_set():
            with follow(http, PATH, position, kind=fact_kind) as events:
                wish = min(chance.randint(1, 24), len(wanted) - len(received))
                received += [event.data["fact_id"] for event in events.take(wish)]
                position = events.last_event_id
        return received

    def write(place: int) -> None:
        for names in sent[place::2]:
            store(http, fact_kind, *names)

    with ThreadPoolExecutor(CLIENTS + 2) as pool:
        readers = [pool.submit(read, seed) for seed in range(CLIENTS)]
        try:
            for writer in [pool.submit(write, place) for place in range(2)]:
                writer.result()
            results = [reader.result(60) for reader in readers]
        finally:
            failed.set()
    assert [sorted(received) for received in results] == [wanted] * CLIENTS
