"""A real Alertmanager takes what subscriptions of its type are sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from tests.background.test_deliveries import process, shown, subscribe
from tests.background.test_prober import becomes
from tests.sql.alerts import above, define, evaluate
from tests.sql.calls import ask, ingest_metrics, metric
from tests.support import alertmanager
from tests.support.alertmanager import Alertmanager
from tests.support.debian import Unavailable
from tests.support.waiting import eventually_async

pytestmark = pytest.mark.server

DELIVERED = "select count(delivered_at) from data.delivery"


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanager]:
    try:
        with alertmanager.start(tmp_path_factory.mktemp("alertmanager")) as started:
            yield started
    except Unavailable as reason:
        pytest.skip(f"needs an Alertmanager: {reason}")


@pytest.fixture
def conn(fresh_database: str) -> Iterator[Connection]:
    with psycopg.connect(fresh_database, autocommit=True, prepare_threshold=None) as connected:
        yield connected


async def has(
    manager: Alertmanager, holds: Callable[[list[dict[str, Any]]], bool], **filters: str
) -> list[dict[str, Any]]:
    """Wait until the alerts that it has are as they should be, and return them."""

    async def found() -> list[list[dict[str, Any]]]:
        alerts = manager.alerts(**filters)
        return [alerts] if holds(alerts) else []

    return (await eventually_async(found, "what the Alertmanager has", seconds=30))[0]


def fire(conn: Connection, name: str, **labels: str) -> None:
    """A rule of this name that fires now for the sources a and b."""
    now = datetime.now(UTC)
    earlier = (now - timedelta(seconds=1)).isoformat()
    ingest_metrics(conn, [metric(source=each, value=3, ts=earlier) for each in "ab"], now=now)
    define(conn, above(2, group_by="source"), name=name, labels=labels)
    evaluate(conn, now)


async def test_an_alert_fires_in_an_alertmanager_beyond_the_next_repeat_and_is_resolved(
    fresh_database: str, conn: Connection, manager: Alertmanager
) -> None:
    began = datetime.now(UTC)
    async with process(fresh_database):
        subscribe(conn, manager.url, type="alertmanager", alerts={})
        fire(conn, "resolved_later", **{"team.name": "search"})
        fired = await has(manager, lambda alerts: len(alerts) == 2, alertname="resolved_later")
        await becomes(conn, DELIVERED, lambda count: count == 1)
        ask(conn, "select api.delete_alert_rule('resolved_later', 'ann', now())")
        ask(conn, "select internal.enqueue_alerts(now())")
        # It lists no alerts that are resolved.
        await has(manager, lambda alerts: alerts == [], alertname="resolved_later")
    assert sorted((each["labels"] for each in fired), key=lambda labels: str(labels["source"])) == [
        {
            "alertname": "resolved_later",
            "severity": "warning",
            "source": source,
            "team_name": "search",
        }
        for source in "ab"
    ]
    assert {each["status"]["state"] for each in fired} <= {"active", "unprocessed"}
    repeats = timedelta(minutes=2)
    assert all(datetime.fromisoformat(each["endsAt"]) > began + repeats for each in fired)


async def test_an_alert_that_an_alertmanager_refuses_is_shown_and_the_others_are_stored(
    fresh_database: str, conn: Connection, manager: Alertmanager
) -> None:
    """No alert of a rule is refused: one is made to start after its end."""
    async with process(fresh_database, delivery=False):
        subscribe(conn, manager.url, type="alertmanager", alerts={})
        fire(conn, "half_refused")
        conn.execute(
            """
            update data.outbox set item = jsonb_set(item, '{startsAt}', '"2099-01-01T00:00:00Z"')
            where item @> '{"labels": {"source": "a"}}'
            """
        )
    async with process(fresh_database):
        await becomes(conn, "select count(failed_at) from data.delivery", bool)
        (kept,) = await has(manager, bool, alertname="half_refused")
    assert kept["labels"]["source"] == "b"
    assert shown(conn)["error"] == "answers 400 Bad Request"


async def test_an_alertmanager_that_was_restarted_hears_of_what_fires(
    fresh_database: str, conn: Connection, manager: Alertmanager
) -> None:
    async with process(fresh_database):
        subscribe(conn, manager.url, type="alertmanager", alerts={})
        fire(conn, "repeated")
        (first, _) = await has(manager, lambda alerts: len(alerts) == 2, alertname="repeated")
        await becomes(conn, DELIVERED, lambda count: count == 1)
        conn.execute("update data.notification set notified_at = notified_at - interval '1 minute'")
        ask(conn, "select internal.enqueue_alerts(now())")
        await becomes(conn, DELIVERED, lambda count: count == 2)
        (again, _) = manager.alerts(alertname="repeated")
    assert datetime.fromisoformat(again["endsAt"]) > datetime.fromisoformat(first["endsAt"])
