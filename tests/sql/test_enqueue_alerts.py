"""Which alerts are enqueued for subscribers, and how long they wait for others of their group."""

from __future__ import annotations

from datetime import timedelta

import pytest
from psycopg import Connection
from psycopg.types.json import Jsonb

from tests.sql.alerts import evaluate
from tests.sql.calls import NOW, ask
from tests.sql.deliveries import (
    AT_ONCE,
    define_by_source,
    enqueue,
    fire,
    record,
    sources,
    subscribe,
    take,
)
from tests.sql.raised_alerts import raise_alert

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def rule(db: Connection) -> Connection:
    """A rule that fires by source."""
    define_by_source(db)
    return db


def test_a_resolved_alert_is_sent_once(rule: Connection) -> None:
    subscribe(rule, alerts=AT_ONCE)
    fire(rule, "a")
    record(rule, take(rule)[0], delivered=True)

    evaluate(rule, NOW + 10 * MINUTE)

    (delivery,) = take(rule, NOW + 10 * MINUTE)
    assert delivery["payload"]["status"] == "resolved"
    assert sources(delivery) == ["resolved a"]
    assert delivery["payload"]["alerts"][0]["endsAt"] == "2025-06-15T12:44:56.789+00:00"
    record(rule, delivery, delivered=True, now=NOW + 10 * MINUTE)
    evaluate(rule, NOW + 20 * MINUTE)
    enqueue(rule, NOW + 5 * HOUR)
    assert take(rule, NOW + 5 * HOUR) == []


def test_what_was_sent_is_not_sent_again_before_its_time(rule: Connection) -> None:
    subscribe(rule, alerts=AT_ONCE | {"repeat_interval": "1h"})
    fire(rule, "a")

    assert enqueue(rule, NOW + 59 * MINUTE) == 0
    assert enqueue(rule, NOW + 60 * MINUTE) == 1


def test_without_subscriptions_no_alerts_are_enqueued(rule: Connection) -> None:
    fire(rule, "a")

    assert enqueue(rule, NOW) == 0


def test_what_was_enqueued_of_one_alert_is_nothing_about_another(rule: Connection) -> None:
    subscribe(rule, alerts=AT_ONCE)
    fire(rule, "a")
    fire(rule, "b", now=NOW + MINUTE)

    assert enqueue(rule, NOW + 2 * MINUTE) == 0


def test_an_alert_that_has_fired_again_since_is_enqueued_again(db: Connection) -> None:
    subscribe(db, alerts=AT_ONCE)
    raise_alert(db, source="a")
    assert enqueue(db, NOW) == 1

    db.execute("update data.alert set fired_at = %s", [NOW])

    assert enqueue(db, NOW) == 1


def test_an_alert_that_is_back_after_it_was_resolved_is_enqueued_again(db: Connection) -> None:
    subscribe(db, type="alertmanager", alerts={})
    for _ in range(2):
        raise_alert(db, source="a")
        assert enqueue(db, NOW) == 1
        db.execute("delete from data.alert")
        assert enqueue(db, NOW) == 1


def test_alerts_are_enqueued_in_the_order_of_their_start(db: Connection) -> None:
    subscribe(db, alerts=AT_ONCE)
    same = [raise_alert(db, source=source) for source in "abcd"]
    first = raise_alert(db, source="e", since=NOW - 2 * HOUR)

    enqueue(db, NOW)

    queued = db.execute("select item ->> 'fingerprint' from data.outbox order by outbox_id")
    assert [row[0] for row in queued] == [first, *sorted(same)]


def test_alerts_of_a_group_wait_for_each_other(rule: Connection) -> None:
    subscribe(rule, alerts={"group_wait": "30s", "group_interval": "5m"})
    fire(rule, "a")
    assert take(rule, NOW + 29 * SECOND) == []
    fire(rule, "b", now=NOW + 15 * SECOND)

    (delivery,) = take(rule, NOW + 30 * SECOND)

    assert sources(delivery) == ["firing a", "firing b"]


def test_an_alert_that_fires_later_does_not_shorten_the_wait_of_its_group(
    rule: Connection,
) -> None:
    subscribe(rule, alerts={"group_wait": "30s", "group_interval": "5m"})
    fire(rule, "a")
    fire(rule, "b", now=NOW + 15 * SECOND)

    assert take(rule, NOW + 29 * SECOND) == []


def test_alerts_are_enqueued_to_wait_for_the_interval_of_their_group(rule: Connection) -> None:
    subscribe(rule, alerts={"group_wait": "0s", "group_interval": "5m"})
    fire(rule, "a")
    record(rule, take(rule)[0], delivered=True)
    fire(rule, "b", now=NOW + MINUTE)

    assert take(rule, NOW + 4 * MINUTE) == []
    (delivery,) = take(rule, NOW + 5 * MINUTE)

    # Those that still fire come along.
    assert sources(delivery) == ["firing a", "firing b"]


def test_alerts_are_enqueued_to_wait_from_the_last_time_of_their_group(db: Connection) -> None:
    subscribe(db, alerts={"group_wait": "0s", "group_interval": "5m"})
    for turn, source in enumerate("ab"):
        raise_alert(db, source=source)
        enqueue(db, NOW + 5 * turn * MINUTE)
        (delivery,) = take(db, NOW + 5 * turn * MINUTE)
        record(db, delivery, delivered=True)
    raise_alert(db, source="c")
    enqueue(db, NOW + 6 * MINUTE)

    assert take(db, NOW + 10 * MINUTE - SECOND) == []
    assert len(take(db, NOW + 10 * MINUTE)) == 1


def subscribe_apart(conn: Connection, apart: str, **times: str) -> None:
    """Sources a and b are two groups of one subscription, or one of each of two."""
    if apart == "groups":
        subscribe(conn, alerts={**times, "group_by": ["source"]})
    else:
        for source in "ab":
            wanted = [{"name": "source", "operator": "=", "value": source}]
            subscribe(conn, f"pager-{source}", alerts={**times, "matchers": wanted})


@pytest.mark.parametrize("apart", ["groups", "subscriptions"])
def test_alerts_are_enqueued_to_wait_for_their_own_group_only(db: Connection, apart: str) -> None:
    subscribe_apart(db, apart, group_wait="30s", group_interval="5m")
    raise_alert(db, source="a")
    enqueue(db, NOW)
    record(db, take(db, NOW + 30 * SECOND)[0], delivered=True)

    raise_alert(db, source="b")
    enqueue(db, NOW + MINUTE)

    assert take(db, NOW + 89 * SECOND) == []
    assert len(take(db, NOW + 90 * SECOND)) == 1


@pytest.mark.parametrize("apart", ["groups", "subscriptions"])
def test_alerts_are_enqueued_to_wait_from_when_their_own_group_was_sent(
    db: Connection, apart: str
) -> None:
    subscribe_apart(db, apart, group_wait="0s", group_interval="5m")
    for source, minutes in (("a", 0), ("b", 4)):
        raise_alert(db, source=source)
        enqueue(db, NOW + minutes * MINUTE)
        record(db, take(db, NOW + minutes * MINUTE)[0], delivered=True)

    raise_alert(db, source="a", region="eu")
    enqueue(db, NOW + 4 * MINUTE)

    assert take(db, NOW + 5 * MINUTE - SECOND) == []
    assert len(take(db, NOW + 5 * MINUTE)) == 1


def test_a_group_that_was_resolved_waits_as_a_new_one(db: Connection) -> None:
    subscribe(db, alerts={"group_wait": "30s", "group_interval": "5m"})
    raise_alert(db, source="a")
    enqueue(db, NOW)
    record(db, take(db, NOW + 30 * SECOND)[0], delivered=True)
    db.execute("delete from data.alert")
    enqueue(db, NOW + 6 * MINUTE)
    record(db, take(db, NOW + 6 * MINUTE)[0], delivered=True)

    raise_alert(db, source="a")
    enqueue(db, NOW + 7 * MINUTE)

    assert len(take(db, NOW + 7 * MINUTE + 30 * SECOND)) == 1


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


def test_no_alerts_are_enqueued_for_a_subscription_that_is_not_enabled(rule: Connection) -> None:
    subscribe(rule, alerts=AT_ONCE, enabled=False)

    fire(rule, "a")

    assert take(rule) == []
    assert ask(rule, "select count(*) from data.outbox") == 0
