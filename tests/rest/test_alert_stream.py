"""GET /alerts/stream: changes of the states of alerts as an evaluation finds them."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.rest.conftest import slug_of
from tests.support import web_server
from tests.support.events import follow
from tests.support.timescaledb import Server

PATH = "/alerts/stream"
RULE = {
    "author": "ann",
    "condition": {
        "type": "metric",
        "kind": "queue",
        "statistic": "last",
        "window": "5m",
        "operator": ">",
        "threshold": 10,
        "group_by": "source",
    },
}


@pytest.fixture(scope="module")
def database_url(database_server: Server) -> Iterator[str]:
    """DSN of a database of this module's own."""
    with database_server.deployed() as url:
        yield url


@pytest.fixture(scope="module")
def http(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    log = tmp_path_factory.mktemp("alerts") / "log"
    with (
        web_server.start(database_url, None, log, workers=1) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        yield client


def measure(http: httpx.Client, value: float, source: str) -> None:
    item = {"name": "queue", "source": source, "value": value}
    http.post("/ingest/metrics", json=item).raise_for_status()


def evaluate(url: str) -> None:
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as conn:
        conn.execute("call internal.evaluate_alerts(0, %s)", [Jsonb({"rules": 100})])


def test_an_alert_comes_when_it_fires_and_a_client_that_comes_back_misses_none(
    http: httpx.Client, database_url: str
) -> None:
    measure(http, 1, "web")
    measure(http, 1, "db")
    http.put("/alerts/rules/queue_long", json=RULE).raise_for_status()
    with follow(http, PATH, rule="queue_long", **{"label.source": "web"}) as events:
        measure(http, 20, "db")
        measure(http, 20, "web")
        evaluate(database_url)
        (event,) = events.take(1)
        assert event.name == "alert"
        assert event.data["to_state"] == "firing"
        assert event.data["labels"]["source"] == "web"
    http.delete("/alerts/rules/queue_long", params={"author": "ann"}).raise_for_status()
    with follow(http, PATH, events.last_event_id) as events:
        changes = {(e.data["labels"]["source"], e.data["to_state"]) for e in events.take(2)}
        assert changes == {("web", "resolved"), ("db", "resolved")}


def test_an_unknown_rule_is_refused(http: httpx.Client) -> None:
    answer = http.get(PATH, params={"rule": "nothing"})
    assert (answer.status_code, slug_of(answer)) == (404, "alert_rule_unknown")


def test_a_position_of_the_facts_is_one_of_alerts_too(http: httpx.Client) -> None:
    with follow(http, "/facts/stream") as events:
        pass
    with follow(http, PATH, events.last_event_id) as again:
        assert again.last_event_id is not None
