"""What a request to a subscriber says of alerts and facts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from psycopg import Connection

from tests.sql.calls import NOW, ago, fact, ingest_facts
from tests.sql.deliveries import AT_ONCE, define_by_source, enqueue, fire, sources, subscribe, take
from tests.sql.raised_alerts import raise_alert

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def rule(db: Connection) -> Connection:
    """A rule that fires by source."""
    define_by_source(db)
    return db


def test_an_alert_that_fires_is_sent_in_the_payload_of_an_alertmanager(rule: Connection) -> None:
    subscribe(rule, alerts=AT_ONCE)

    fire(rule, "a")

    (delivery,) = take(rule)
    alert = delivery["payload"]["alerts"][0]
    assert delivery["attempt"] == 1
    assert delivery["url"] == "https://hooks.example.com/pager"
    assert {**delivery["payload"], "alerts": []} == {
        "version": "4",
        "groupKey": '{}:{alertname="cpu_high"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "pager",
        "groupLabels": {"alertname": "cpu_high"},
        "commonLabels": {"alertname": "cpu_high", "severity": "warning", "source": "a"},
        "commonAnnotations": {},
        "externalURL": "",
        "alerts": [],
    }
    assert alert["startsAt"] == "2025-06-15T12:34:56.789+00:00"
    assert alert["endsAt"] == "0001-01-01T00:00:00Z"


def test_the_alerts_of_a_payload_come_in_the_order_of_their_start(rule: Connection) -> None:
    subscribe(rule, alerts={"group_wait": "3m", "group_interval": "5m"})
    for turn, source in enumerate("dacb"):
        fire(rule, source, now=NOW + turn * 15 * SECOND)

    (delivery,) = take(rule, NOW + 3 * MINUTE)

    assert sources(delivery) == ["firing d", "firing a", "firing c", "firing b"]


def test_alerts_are_sent_by_their_groups(rule: Connection) -> None:
    subscribe(rule, alerts=AT_ONCE | {"group_by": ["source"]})

    fire(rule, "a", "b")

    assert sorted(sources(delivery) for delivery in take(rule)) == [["firing a"], ["firing b"]]


def test_the_key_of_a_group_has_its_labels_by_their_names(rule: Connection) -> None:
    subscribe(rule, alerts=AT_ONCE | {"group_by": ["source", "alertname", "severity"]})

    fire(rule, "a")

    (delivery,) = take(rule)
    assert delivery["payload"]["groupKey"] == (
        '{}:{alertname="cpu_high", severity="warning", source="a"}'
    )


def test_of_several_items_about_an_alert_the_last_one_is_sent(db: Connection) -> None:
    subscribe(db, alerts={"group_wait": "10m"})
    for source in "ab":
        raise_alert(db, source=source)
    enqueue(db, NOW)
    db.execute("delete from data.alert where label = 'a'")
    enqueue(db, NOW + MINUTE)

    (delivery,) = take(db, NOW + 10 * MINUTE)
    assert sorted(sources(delivery)) == ["firing b", "resolved a"]


def test_what_fires_in_another_group_or_for_another_subscription_does_not_come_along(
    db: Connection,
) -> None:
    subscribe(db, alerts=AT_ONCE | {"group_by": ["source"]})
    subscribe(db, "other", alerts=AT_ONCE | {"group_by": ["source"]})
    for source in "ab":
        raise_alert(db, source=source)
    enqueue(db, NOW)
    assert sorted(map(sources, take(db))) == [
        ["firing a"],
        ["firing a"],
        ["firing b"],
        ["firing b"],
    ]


def test_a_group_of_labels_that_its_alerts_lack_has_no_labels(db: Connection) -> None:
    subscribe(db, alerts=AT_ONCE | {"group_by": ["zone"]})
    raise_alert(db, source="a")
    enqueue(db, NOW)

    assert take(db)[0]["payload"]["groupLabels"] == {}


def test_facts_are_sent_by_kind_and_source(db: Connection) -> None:
    subscribe(db, facts={"kinds": ["Fact:Deal"], "sources": ["crm"]})

    ingest_facts(
        db,
        [
            fact(fact_id="1", ts=ago(minutes=1), payload={"x": 1}),
            fact("Fact:Other", fact_id="2", ts=ago(minutes=1)),
            fact(source="erp", fact_id="3", ts=ago(minutes=1)),
        ],
    )

    (delivery,) = take(db)
    assert [item["fact_id"] for item in delivery["payload"]["facts"]] == ["1"]
    assert delivery["payload"]["facts"][0]["payload"] == {"x": 1}


def test_a_repeated_fact_is_sent_once(db: Connection) -> None:
    subscribe(db, facts={})
    for _ in range(2):
        ingest_facts(db, [fact(fact_id="1", ts=ago(minutes=1))])

    (delivery,) = take(db)

    assert len(delivery["payload"]["facts"]) == 1
