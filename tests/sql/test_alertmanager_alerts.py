"""An Alertmanager gets alerts as it takes them, and again while they fire."""

from __future__ import annotations

from datetime import timedelta

import pytest
from psycopg import Connection

from tests.sql.alerts import above, define, evaluate
from tests.sql.calls import NOW, ago, ask, ingest_metrics, metric
from tests.sql.deliveries import define_by_source, enqueue, fire, record, subscribe, take
from tests.sql.raised_alerts import raise_alert

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def rule(db: Connection) -> Connection:
    """A rule that fires by source."""
    define_by_source(db)
    return db


def test_an_alertmanager_is_sent_again_while_an_alert_fires(rule: Connection) -> None:
    subscribe(rule, type="alertmanager", alerts={})
    fire(rule, "a")

    (delivery,) = take(rule)
    record(rule, delivery, delivered=True)

    (alert,) = delivery["payload"]
    assert alert["endsAt"] == "2025-06-15T12:37:56.789+00:00"
    assert enqueue(rule, NOW + 30 * SECOND) == 0
    assert enqueue(rule, NOW + MINUTE) == 1


def test_an_alertmanager_is_sent_for_five_minutes_that_an_alert_is_resolved(
    rule: Connection,
) -> None:
    subscribe(rule, type="alertmanager", alerts={})
    fire(rule, "a")
    resolved = NOW + 10 * MINUTE
    evaluate(rule, resolved)

    assert enqueue(rule, resolved + 30 * SECOND) == 0
    notified = [enqueue(rule, resolved + n * MINUTE) for n in range(1, 8)]

    assert notified == [1, 1, 1, 1, 0, 0, 0]


def test_an_alert_that_an_alertmanager_hears_no_more_of_is_forgotten(db: Connection) -> None:
    subscribe(db, type="alertmanager", alerts={})
    raise_alert(db, source="a")
    enqueue(db, NOW)
    db.execute("delete from data.alert")

    for minutes, kept in ((0, 1), (4, 1), (5, 0)):
        enqueue(db, NOW + minutes * MINUTE)
        assert ask(db, "select count(*) from data.notification") == kept


def test_an_alertmanager_gets_labels_that_it_takes(db: Connection) -> None:
    ingest_metrics(db, [metric(value=3, labels={"zone.name": ""}, ts=ago(seconds=1))])
    define(db, above(2, group_by="label.zone.name"), labels={"team.name": "search"})
    subscribe(db, type="alertmanager", alerts={})

    evaluate(db)

    (alert,) = take(db)[0]["payload"]
    assert alert["labels"] == {
        "alertname": "cpu_high",
        "severity": "warning",
        "team_name": "search",
    }


def test_an_alertmanager_gets_alerts_in_the_order_of_their_start(db: Connection) -> None:
    subscribe(db, type="alertmanager", alerts={})
    for hours, source in ((1, "a"), (3, "b"), (2, "c")):
        raise_alert(db, source=source, since=NOW - hours * HOUR)
    enqueue(db, NOW)

    (delivery,) = take(db)
    assert [alert["labels"]["source"] for alert in delivery["payload"]] == ["b", "c", "a"]
