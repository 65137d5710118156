"""Subscribers are notified of alerts and facts: what, in which groups, and how often."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.alerts import above, define, evaluate
from tests.sql.calls import NOW, Json, ago, ask, fact, ingest_facts, ingest_metrics, metric, refused

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
AT_ONCE = {"group_wait": "0s", "group_interval": "0s"}


def subscribe(
    conn: Connection, name: str = "pager", *, now: datetime = NOW, **members: Any
) -> Json:
    """The answer to a subscription."""
    document = {"author": "ann", "url": "https://hooks.example.com/pager", **members}
    answer: Json = ask(conn, "select api.subscribe(%s, %s, %s)", name, Jsonb(document), now)
    return answer


def take(conn: Connection, now: datetime = NOW) -> list[Json]:
    """The deliveries that are due."""
    answer: list[Json] = ask(conn, "select api.take_deliveries(100, %s)", now)
    return answer


def record(conn: Connection, delivery: Json, *, now: datetime = NOW, **result: Any) -> list[Json]:
    """What has become of a delivery, as it was noted."""
    result = {"delivery_id": delivery["delivery_id"], "retry": True, "jitter": 0.5, **result}
    noted: list[Json] = ask(conn, "select api.record_deliveries(%s, %s)", Jsonb([result]), now)
    return noted


def fire(conn: Connection, *sources: str, now: datetime = NOW, value: float = 3) -> None:
    """Samples on which `cpu_high` fires for sources."""
    earlier = (now - SECOND).isoformat()
    items = [metric(source=source, value=value, ts=earlier) for source in sources]
    ingest_metrics(conn, items, now=now)
    evaluate(conn, now)


@pytest.fixture
def rule(db: Connection) -> Connection:
    """A rule that fires by source."""
    ingest_metrics(db, [metric(value=0, ts=ago(minutes=30))])
    define(db, above(2, group_by="source"))
    return db


def sources(delivery: Json) -> list[str]:
    return [
        f"{alert['status']} {alert['labels']['source']}" for alert in delivery["payload"]["alerts"]
    ]


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


def test_a_resolved_alert_is_sent_once(rule: Connection) -> None:
    subscribe(rule, alerts=AT_ONCE)
    fire(rule, "a")
    record(rule, take(rule)[0], delivered=True)

    evaluate(rule, NOW + 10 * MINUTE)

    (delivery,) = take(rule, NOW + 10 * MINUTE)
    assert delivery["payload"]["status"] == "resolved"
    assert sources(delivery) == ["resolved a"]
    record(rule, delivery, delivered=True, now=NOW + 10 * MINUTE)
    evaluate(rule, NOW + 20 * MINUTE)
    enqueue(rule, NOW + 5 * HOUR)
    assert take(rule, NOW + 5 * HOUR) == []


def enqueue(conn: Connection, now: datetime) -> int:
    count: int = ask(conn, "select internal.enqueue_alerts(%s)", now)
    return count


def test_what_was_sent_is_not_sent_again_before_its_time(rule: Connection) -> None:
    subscribe(rule, alerts=AT_ONCE | {"repeat_interval": "1h"})
    fire(rule, "a")

    assert enqueue(rule, NOW + 59 * MINUTE) == 0
    assert enqueue(rule, NOW + 60 * MINUTE) == 1


def test_alerts_of_a_group_wait_for_each_other(rule: Connection) -> None:
    subscribe(rule, alerts={"group_wait": "30s", "group_interval": "5m"})
    fire(rule, "a")
    assert take(rule, NOW + 29 * SECOND) == []
    fire(rule, "b", now=NOW + 15 * SECOND)

    (delivery,) = take(rule, NOW + 30 * SECOND)

    assert sources(delivery) == ["firing a", "firing b"]


def test_the_alerts_of_a_payload_come_in_the_order_of_their_start(rule: Connection) -> None:
    subscribe(rule, alerts={"group_wait": "3m", "group_interval": "5m"})
    for turn, source in enumerate("dacb"):
        fire(rule, source, now=NOW + turn * 15 * SECOND)

    (delivery,) = take(rule, NOW + 3 * MINUTE)

    assert sources(delivery) == ["firing d", "firing a", "firing c", "firing b"]


def test_an_alert_that_fires_later_does_not_shorten_the_wait_of_its_group(
    rule: Connection,
) -> None:
    subscribe(rule, alerts={"group_wait": "30s", "group_interval": "5m"})
    fire(rule, "a")
    fire(rule, "b", now=NOW + 15 * SECOND)

    assert take(rule, NOW + 29 * SECOND) == []


def test_a_group_that_was_sent_waits_for_its_interval(rule: Connection) -> None:
    subscribe(rule, alerts={"group_wait": "0s", "group_interval": "5m"})
    fire(rule, "a")
    record(rule, take(rule)[0], delivered=True)
    fire(rule, "b", now=NOW + MINUTE)

    assert take(rule, NOW + 4 * MINUTE) == []
    (delivery,) = take(rule, NOW + 5 * MINUTE)

    # Those that still fire come along.
    assert sources(delivery) == ["firing a", "firing b"]


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


def test_only_alerts_that_match_are_sent(rule: Connection) -> None:
    matchers = [{"name": "source", "operator": "=~", "value": "b.*"}]
    subscribe(rule, alerts=AT_ONCE | {"matchers": matchers})

    fire(rule, "a", "bb")

    assert [sources(delivery) for delivery in take(rule)] == [["firing bb"]]


def test_a_silenced_alert_is_sent_when_its_silence_ends(rule: Connection) -> None:
    subscribe(rule, alerts=AT_ONCE)
    matchers = [{"name": "source", "operator": "=", "value": "a"}]
    ask(
        rule,
        "select api.silence_alerts('s', %s, %s, %s, 'ann', 'why', null, %s)",
        Jsonb(matchers),
        NOW - MINUTE,
        NOW + MINUTE,
        NOW - MINUTE,
    )
    fire(rule, "a")
    assert take(rule) == []

    assert enqueue(rule, NOW + 2 * MINUTE) == 1


def test_a_failed_delivery_is_due_again_with_its_id_and_later_each_time(rule: Connection) -> None:
    subscribe(rule, alerts=AT_ONCE)
    fire(rule, "a")
    first = take(rule)[0]

    record(rule, first, delivered=False, detail="status 500")

    assert take(rule, NOW + 4 * SECOND) == []
    second = take(rule, NOW + 5 * SECOND)[0]
    assert second == {**first, "attempt": 2}
    record(rule, second, delivered=False, now=NOW + 5 * SECOND)
    assert take(rule, NOW + 14 * SECOND) == []
    assert len(take(rule, NOW + 15 * SECOND)) == 1


def test_a_failed_delivery_is_due_again_after_an_hour_at_most(rule: Connection) -> None:
    subscribe(rule, alerts=AT_ONCE)
    fire(rule, "a")
    delivery = take(rule)[0]
    rule.execute("update data.delivery set attempts = 15")

    record(rule, delivery, delivered=False)

    assert take(rule, NOW + HOUR - SECOND) == []
    assert len(take(rule, NOW + HOUR)) == 1


def test_a_delivery_whose_process_ended_is_taken_again(rule: Connection) -> None:
    subscribe(rule, alerts=AT_ONCE)
    fire(rule, "a")
    first = take(rule)[0]

    assert take(rule, NOW + 59 * SECOND) == []
    assert take(rule, NOW + 60 * SECOND) == [{**first, "attempt": 2}]


def test_of_a_subscription_four_are_sent_at_once(rule: Connection) -> None:
    subscribe(rule, alerts=AT_ONCE | {"group_by": ["source"]})
    subscribe(rule, "other", alerts=AT_ONCE)
    fire(rule, *"abcdef")

    first = take(rule)

    assert sorted(len(sources(delivery)) for delivery in first) == [1, 1, 1, 1, 6]
    assert take(rule) == []
    record(rule, next(each for each in first if len(sources(each)) == 1), delivered=True)
    assert len(take(rule)) == 1


def test_of_a_host_eight_are_sent_at_once(rule: Connection) -> None:
    by_source = AT_ONCE | {"group_by": ["source"]}
    for number in range(3):
        url = f"https://Hooks.example.com/{number}"
        subscribe(rule, f"pager-{number}", url=url, alerts=by_source)
    subscribe(rule, "other", url="https://other.example.com/hooks.example.com", alerts=AT_ONCE)
    fire(rule, *"abcd")

    first = take(rule)

    assert Counter(urlsplit(each["url"]).hostname for each in first) == {
        "hooks.example.com": 8,
        "other.example.com": 1,
    }
    assert take(rule) == []
    record(rule, next(each for each in first if "/Hooks" in each["url"]), delivered=True)
    (more,) = take(rule)
    assert urlsplit(more["url"]).hostname == "hooks.example.com"
    # Of a process that has ended, nothing is under way.
    assert len(take(rule, NOW + MINUTE)) == 8 + 1


def test_of_a_host_those_that_wait_longest_are_sent_first(rule: Connection) -> None:
    by_source = AT_ONCE | {"group_by": ["source"]}
    for number in range(3):
        subscribe(rule, f"pager-{number}", alerts=by_source)
    fire(rule, *"abc")
    for delivery in take(rule):
        record(rule, delivery, delivered=False, jitter=0)
    waiting = ask(rule, "select delivery_id::text from data.delivery where attempts = 0")

    assert waiting in [each["delivery_id"] for each in take(rule, NOW + MINUTE)]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://a.example", "a.example"),
        ("http://A.example:8080/path@b?c://d", "a.example:8080"),
        ("https://a.example?b", "a.example"),
        ("https://a.example#b", "a.example"),
        ("http://[::1]:9093/api/v2/alerts", "[::1]:9093"),
    ],
)
def test_a_host_is_one_with_its_port(db: Connection, url: str, host: str) -> None:
    subscribe(db, url=url, facts={})
    assert ask(db, "select host from data.subscription") == host


def test_a_refused_delivery_is_given_up(rule: Connection) -> None:
    subscribe(rule, alerts=AT_ONCE)
    fire(rule, "a")

    record(rule, take(rule)[0], delivered=False, retry=False, detail="status 410")

    assert take(rule, NOW + HOUR) == []
    (shown,) = ask(rule, "select api.list_subscriptions(null, null, null, %s)", NOW)["items"]
    assert (shown["pending"], shown["failed"], shown["error"]) == (0, 1, "status 410")


@pytest.mark.parametrize(
    ("result", "outcome", "error"),
    [
        ({"delivered": True}, "delivered", None),
        ({"delivered": False, "detail": "status 503"}, "failed", "status 503"),
        ({"delivered": False, "detail": "status 410", "retry": False}, "given_up", "status 410"),
        (
            {"delivered": False, "detail": "status 503", "now": NOW + 73 * HOUR},
            "given_up",
            "status 503",
        ),
    ],
)
def test_what_has_become_of_a_delivery_is_noted_with_its_subscription_and_group(
    rule: Connection, result: Json, outcome: str, error: str | None
) -> None:
    subscribe(rule, alerts=AT_ONCE)
    fire(rule, "a")
    (delivery,) = take(rule)

    assert record(rule, delivery, **result) == [
        {
            "subscription": "pager",
            "group": '{}:{alertname="cpu_high"}',
            "attempts": 1,
            "outcome": outcome,
            "error": error,
        }
    ]


def test_no_delivery_of_a_group_overtakes_another(rule: Connection) -> None:
    subscribe(rule, alerts=AT_ONCE)
    fire(rule, "a")
    first = take(rule)[0]

    evaluate(rule, NOW + 10 * MINUTE)
    record(rule, first, delivered=False)

    (again,) = take(rule, NOW + 10 * MINUTE)
    assert again["delivery_id"] == first["delivery_id"]
    record(rule, again, delivered=True)
    (last,) = take(rule, NOW + 10 * MINUTE)
    assert sources(last) == ["resolved a"]


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

    notified = [enqueue(rule, resolved + n * MINUTE) for n in range(1, 8)]

    assert notified == [1, 1, 1, 1, 0, 0, 0]


def test_an_alertmanager_that_was_away_is_asked_again_soon(rule: Connection) -> None:
    subscribe(rule, type="alertmanager", alerts={})
    fire(rule, "a")
    now = NOW
    for _ in range(10):
        (delivery,) = take(rule, now)
        record(rule, delivery, delivered=False, now=now)
        now += MINUTE

    assert len(take(rule, now)) == 1


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


def test_large_facts_are_sent_in_several_requests(db: Connection) -> None:
    subscribe(db, facts={})
    payload = {"text": "x" * 60_000}
    facts = [fact(fact_id=str(n), ts=ago(minutes=1), payload=payload) for n in range(30)]
    ingest_facts(db, facts)

    (first,) = take(db)
    record(db, first, delivered=True)
    (second,) = take(db)

    sent = [[item["fact_id"] for item in each["payload"]["facts"]] for each in (first, second)]
    assert [len(each) for each in sent] == [17, 13]
    assert {*sent[0], *sent[1]} == {str(n) for n in range(30)}


def test_a_repeated_fact_is_sent_once(db: Connection) -> None:
    subscribe(db, facts={})
    for _ in range(2):
        ingest_facts(db, [fact(fact_id="1", ts=ago(minutes=1))])

    (delivery,) = take(db)

    assert len(delivery["payload"]["facts"]) == 1


def test_a_secret_is_shown_once(db: Connection) -> None:
    created = subscribe(db, facts={})
    again = subscribe(db, facts={})

    assert created["outcome"] == "created"
    assert created["secret"].startswith("whsec_")
    assert again["outcome"] == "unchanged"
    assert again["secret"] is None
    listed = ask(db, "select api.list_subscriptions(null, null, null, %s)", NOW)
    assert created["secret"] not in json.dumps(listed)


def test_a_subscription_that_is_not_enabled_is_sent_nothing(rule: Connection) -> None:
    subscribe(rule, alerts=AT_ONCE, enabled=False)

    fire(rule, "a")

    assert take(rule) == []


def test_a_removed_subscription_is_sent_nothing(rule: Connection) -> None:
    subscribe(rule, alerts=AT_ONCE)
    fire(rule, "a")

    ask(rule, "select api.unsubscribe('pager', %s)", NOW)

    assert take(rule) == []
    with refused(rule, "subscription_unknown"):
        ask(rule, "select api.unsubscribe('pager', %s)", NOW)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({}, "alerts"),
        ({"facts": {}, "url": "ftp://example.com"}, "url"),
        ({"facts": {}, "url": "https://ann:secret@example.com"}, "url"),
        ({"facts": {}, "url": "https://ann@example.com"}, "url"),
        ({"facts": {}, "url": "http://["}, "url"),
        ({"facts": {}, "url": "http://[1::2::3]/"}, "url"),
        ({"facts": {}, "url": "http://host:99999"}, "url"),
        ({"facts": {}, "url": "http://host:0/"}, "url"),
        ({"facts": {}, "url": "http://host:1:2"}, "url"),
        ({"facts": {}, "url": "http://a..example/"}, "url"),
        ({"facts": {}, "url": "http://999.1.1.1/"}, "url"),
        ({"facts": {}, "secret": "short"}, "secret"),
        ({"facts": {}, "secret": "whsec_" + "A" * 33}, "secret"),
        ({"facts": {}, "secret": "whsec_" + "A" * 87 + "="}, "secret"),
        ({"facts": {}, "type": "alertmanager"}, "facts"),
        ({"facts": {"kinds": ["cpu"]}}, "facts.kinds[0]"),
        ({"alerts": {"group_wait": "soon"}}, "alerts.group_wait"),
        (
            {"alerts": {"matchers": [{"name": "a", "operator": "=~", "value": "("}]}},
            "alerts.matchers[0].value",
        ),
    ],
)
def test_a_bad_subscription_is_refused_with_its_field(
    db: Connection, document: Json, field: str
) -> None:
    with refused(db, "document_refused") as problem:
        subscribe(db, **document)

    assert field in [fault["field"] for fault in problem.params["faults"]]


def test_a_matcher_of_a_label_that_nothing_has_is_stored_with_a_hint(db: Connection) -> None:
    wanted = {"matchers": [{"name": "severty", "operator": "=", "value": "critical"}]}

    answer = subscribe(db, alerts=wanted)

    assert answer["outcome"] == "created"
    assert answer["hint"].startswith(
        'No active alert or rule has the label "severty". Did you mean'
    )
    assert subscribe(db, facts={})["hint"] is None


def test_a_refusal_repeats_no_secret(db: Connection) -> None:
    with refused(db, "document_refused") as problem:
        subscribe(db, facts={}, secret="whsec_TOPSECRET", url="http://ann:TOPSECRET@example.com/")

    assert "TOPSECRET" not in json.dumps(problem.params) + problem.hint + problem.message
