"""Health and keep-alives over HTTP."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from tests.rest.conftest import slug_of


@pytest.fixture
def server(http: httpx.Client) -> str:
    """The name of a registered server that no other test uses."""
    return register(http)


def register(http: httpx.Client) -> str:
    name = f"io.github.acme/s{uuid4().hex[:12]}"
    document = {
        "description": "Searches",
        "version": "1.0.0",
        "keepalive_seconds": 60,
        "failures_to_down": 1,
        "tags": [name[-13:]],
    }
    http.put(f"/registry/servers/{name}", json=document).raise_for_status()
    return name


def test_a_report_is_in_the_health_of_the_server_at_once(http: httpx.Client, server: str) -> None:
    sent = {"server": server, "status": "down", "detail": "no search", "latency_ms": 12}
    receipt = http.post("/health/reports", json=sent)
    assert receipt.json()["accepted"] == 1
    health = http.get(f"/health/servers/{server}").json()

    *_, signal = health["signals"]
    assert (signal["signal"], signal["status"]) == ("report", "down")
    assert (signal["detail"], signal["latency_ms"]) == ("no search", 12)


def test_reports_also_come_as_lines(http: httpx.Client, server: str) -> None:
    line = f'{{"server": "{server}", "status": "up"}}\n'
    answer = http.post(
        "/health/reports",
        content=line * 2,
        headers={"Content-Type": "application/x-ndjson", "Idempotency-Key": server},
    )
    assert answer.json()["accepted"] + answer.json()["duplicate"] == 2


def test_a_bad_report_is_named_by_index_and_field(http: httpx.Client, server: str) -> None:
    items = [{"server": server, "status": "up"}, {"server": server, "status": "fine"}]
    refused = http.post("/health/reports", json=items)
    assert slug_of(refused) == "items_refused"
    (fault,) = refused.json()["params"]["items"]
    assert (fault["index"], fault["field"], fault["slug"]) == (1, "status", "health_status_known")
    assert http.post("/health/reports?partial=true", json=items).json()["accepted"] == 1


@pytest.mark.parametrize("slash", ["/", "%2F"])
def test_a_keep_alive_needs_no_body(http: httpx.Client, server: str, slash: str) -> None:
    path = f"/registry/servers/{server.replace('/', slash)}/heartbeat"
    assert http.post(path).json() == {"renewed": 1, "unknown": []}
    signal, *_ = http.get(f"/health/servers/{server}").json()["signals"]
    assert (signal["signal"], signal["status"]) == ("keepalive", "up")


def test_a_keep_alive_of_an_unknown_server_is_an_error(http: httpx.Client, server: str) -> None:
    answer = http.post(f"/registry/servers/{server}x/heartbeat")
    assert (answer.status_code, slug_of(answer)) == (404, "server_unknown")
    assert answer.json()["params"] == {"field": "name", "nearest": server}


def test_a_gateway_learns_which_names_are_unknown(http: httpx.Client, server: str) -> None:
    answer = http.post("/registry/heartbeats", json={"names": [server, "nobody/here"]})
    assert answer.json() == {"renewed": 1, "unknown": ["nobody/here"]}


def test_concurrent_keep_alives_are_each_answered_for_themselves(http: httpx.Client) -> None:
    known = [register(http) for _ in range(4)]
    paths = [f"/registry/servers/{name}/heartbeat" for name in [*known, "no/one", "no/two"]] * 20

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(http.post, paths))

    for path, answer in zip(paths, answers, strict=True):
        if "/no/" in path:
            assert slug_of(answer) == "server_unknown"
            assert path.split("/")[4] in answer.json()["detail"]
        else:
            assert answer.json() == {"renewed": 1, "unknown": []}
    for name in known:
        signal, *_ = http.get(f"/health/servers/{name}").json()["signals"]
        assert signal["status"] == "up"


def test_the_list_is_filtered_by_tag_and_status(http: httpx.Client, server: str) -> None:
    http.post("/health/reports", json={"server": server, "status": "degraded"})
    (item,) = http.get("/health/servers", params={"tag": server[-13:]}).json()["items"]
    assert (item["server"], item["report"]) == (server, "degraded")
    assert slug_of(http.get("/health/servers?status=fine")) == "health_status_known"


def test_a_deregistered_server_has_no_health(http: httpx.Client, server: str) -> None:
    http.delete(f"/registry/servers/{server}").raise_for_status()
    answer = http.get(f"/health/servers/{server}")
    assert slug_of(answer) == "server_unknown"
    assert "register_server" in answer.json()["hint"]
