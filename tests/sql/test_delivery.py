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
from tests.sql.raised_alerts import raise_alert

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


def take(conn: Connection, now: datetime = NOW, *, limit: int = 100) -> list[Json]:
    """The deliveries that are due."""
    answer: list[Json] = ask(conn, "select api.take_deliveries(%s, %s)", limit, now)
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
    assert delivery["payload"]["alerts"][0]["endsAt"] == "2025-06-15T12:44:56.789+00:00"
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


@pytest.mark.parametrize(("subscriptions", "fired"), [(3, "abc"), (1, "abcde")])
def test_of_a_host_or_a_subscription_those_that_wait_longest_are_sent_first(
    rule: Connection, subscriptions: int, fired: str
) -> None:
    by_source = AT_ONCE | {"group_by": ["source"]}
    for number in range(subscriptions):
        subscribe(rule, f"pager-{number}", alerts=by_source)
    fire(rule, *fired)
    for delivery in take(rule):
        record(rule, delivery, delivered=False, jitter=0)
    waiting = ask(rule, "select delivery_id::text from data.delivery where attempts = 0")

    assert waiting in [each["delivery_id"] for each in take(rule, NOW + MINUTE)]


def test_of_a_host_the_longest_waiting_comes_first_whichever_its_subscription_is(
    rule: Connection,
) -> None:
    for number in range(3):
        subscribe(rule, f"pager-{number}", alerts=AT_ONCE | {"group_by": ["source"]})
    fire(rule, *"abcd")
    take(rule)
    firsts = ask(
        rule,
        "select array_agg(first::text) from ("
        "select min(delivery_id::text) from data.delivery group by subscription_id) as one (first)",
    )

    for first in firsts:
        rule.execute(
            "update data.delivery set claimed_until = null,"
            " next_at = %s + case when delivery_id = %s then '0' else '1 s' end::interval",
            [NOW, first],
        )
        assert take(rule, NOW + MINUTE)[0]["delivery_id"] == first


def test_those_that_wait_longest_come_first(rule: Connection) -> None:
    for host, source in (("z", "a"), ("a", "b")):
        wanted = [{"name": "source", "operator": "=", "value": source}]
        url = f"https://{host}.example"
        subscribe(rule, host, url=url, alerts=AT_ONCE | {"matchers": wanted})
    fire(rule, "a", "b")
    for each in take(rule):
        record(rule, each, delivered=False, jitter=0 if each["url"] == "https://z.example" else 1)

    assert [sources(each) for each in take(rule, NOW + MINUTE, limit=1)] == [["firing a"]]
    assert [sources(each) for each in take(rule, NOW + 2 * MINUTE)] == [["firing a"], ["firing b"]]


def test_a_delivery_that_is_under_way_holds_back_its_own_group_only(rule: Connection) -> None:
    subscribe(rule, alerts=AT_ONCE | {"group_by": ["source"]})
    fire(rule, "a")
    take(rule)
    fire(rule, "b", now=NOW + SECOND)

    assert [sources(each) for each in take(rule, NOW + SECOND)] == [["firing b"]]


@pytest.mark.parametrize(
    ("result", "later"),
    [
        ({"delivered": True}, MINUTE),
        ({"delivered": False, "retry": False}, MINUTE),
        ({"delivered": False}, SECOND),
    ],
)
def test_what_is_not_under_way_takes_no_room(
    rule: Connection, result: Json, later: timedelta
) -> None:
    subscribe(rule, alerts=AT_ONCE | {"group_by": ["source"]})
    fire(rule, *"abcd")
    for delivery in take(rule):
        record(rule, delivery, **result)
    fire(rule, "e", now=NOW + later)

    assert [sources(each) for each in take(rule, NOW + later)] == [["firing e"]]


def put_facts(conn: Connection, sizes: list[int]) -> None:
    """Facts of so many bytes, the first one entered last."""
    conn.execute(
        """
        insert into data.outbox (outbox_id, subscription_id, group_key, item, due_at)
        overriding system value
        select place, subscription_id, 'facts', jsonb_build_object('x', repeat('x', size - 9)), %s
        from data.subscription, unnest(%s::integer[]) with ordinality as sent (size, place)
        order by place desc
        """,
        [NOW, sizes],
    )


def sizes_sent(conn: Connection) -> list[list[int]]:
    """The sizes of the facts in each delivery."""
    return [
        [len(item["x"]) + 9 for item in delivery["payload"]["facts"]] for delivery in take(conn)
    ]


@pytest.mark.parametrize(
    ("sizes", "sent"),
    [
        ([10, 12, 11], 3),
        ([524288, 524288], 2),
        ([524288, 524289], 1),
        ([10, 524288, 524289], 2),
        ([1048577, 10], 1),
    ],
)
def test_a_request_has_the_first_items_up_to_a_mebibyte_and_one_in_any_case(
    db: Connection, sizes: list[int], sent: int
) -> None:
    subscribe(db, facts={})
    put_facts(db, sizes)

    assert sizes_sent(db) == [sizes[:sent]]


def test_a_request_has_500_items_of_its_own_group(db: Connection) -> None:
    for name in ("a", "b"):
        subscribe(db, name, facts={})
    sizes = [10 + n for n in range(501)]
    put_facts(db, sizes)

    assert sizes_sent(db) == [sizes[:500], sizes[:500]]
    db.execute("update data.delivery set delivered_at = %s", [NOW])
    assert sizes_sent(db) == [sizes[500:], sizes[500:]]


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
            {"delivered": False, "detail": "status 503", "now": NOW + 72 * HOUR},
            "failed",
            "status 503",
        ),
        (
            {"delivered": False, "detail": "status 503", "now": NOW + 72 * HOUR + SECOND},
            "given_up",
            "status 503",
        ),
        ({"delivered": False, "detail": "x" * 1001}, "failed", "x" * 1000),
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


def test_what_has_become_of_a_delivery_is_noted_once_and_of_no_other(rule: Connection) -> None:
    subscribe(rule, alerts=AT_ONCE | {"group_by": ["source"]})
    fire(rule, "a", "b")
    first, second = take(rule)

    assert [noted["outcome"] for noted in record(rule, first, delivered=True)] == ["delivered"]
    assert record(rule, first, delivered=False) == []
    assert [noted["outcome"] for noted in record(rule, second, delivered=False)] == ["failed"]
    assert ask(rule, "select count(*) from data.delivery where delivered_at is not null") == 1


def list_subscriptions(conn: Connection, name: str | None = None, **page: Any) -> Json:
    """Subscriptions, or one of them."""
    answer: Json = ask(
        conn,
        "select api.list_subscriptions(%s, %s, %s, %s)",
        name,
        page.get("limit"),
        page.get("cursor"),
        NOW,
    )
    return answer


def test_subscriptions_are_listed_by_their_names_in_pages(db: Connection) -> None:
    for name in "badce":
        subscribe(db, name, facts={})

    assert list_subscriptions(db, "d")["name"] == "d"
    with refused(db, "subscription_unknown") as refusal:
        list_subscriptions(db, "x" * 300)
    assert refusal.message == f'unknown subscription "{"x" * 200}"'
    full = list_subscriptions(db, limit=5)
    assert [item["name"] for item in full["items"]] == list("abcde")
    assert full["next_cursor"] is None
    found: list[str] = []
    cursor = None
    for _ in range(9):
        page = list_subscriptions(db, limit=2, cursor=cursor)
        found += [item["name"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == list("abcde")


def test_a_page_has_100_subscriptions_by_default_and_1000_at_most(db: Connection) -> None:
    assert list_subscriptions(db)["items"] == []
    subscribe(db, facts={})
    db.execute(
        """
        insert into data.subscription
            (name, type, url, secret, author, alerts, facts, enabled, created_at, updated_at)
        select 's' || n, type, url, secret, author, alerts, facts, enabled, created_at, updated_at
        from data.subscription cross join generate_series(1, 100) as n
        """
    )

    assert len(list_subscriptions(db)["items"]) == 100
    with refused(db, "limit_in_range"):
        list_subscriptions(db, limit=1001)


def test_a_subscription_is_listed_with_what_has_become_of_its_deliveries(db: Connection) -> None:
    subscribe(db, alerts=AT_ONCE | {"group_by": ["source"]})
    subscribe(db, "other", alerts=AT_ONCE)
    for source in "abcde":
        raise_alert(db, source=source)
    enqueue(db, NOW)
    # Of five, four are sent at once; of the other subscription, all in one request.
    own = [each for each in take(db) if len(sources(each)) == 1]
    results: list[Json] = [
        {"delivered": True, "now": NOW + SECOND},
        {"delivered": True, "now": NOW + 2 * SECOND},
        {"delivered": False, "retry": False, "detail": "status 410"},
        {"delivered": False, "detail": "status 503"},
    ]
    for delivery, result in zip(own, results, strict=True):
        record(db, delivery, **result)
    for place, delivery in reversed(list(enumerate(own))):
        db.execute(
            "update data.delivery set created_at = %s where delivery_id = %s",
            [NOW - place * SECOND, delivery["delivery_id"]],
        )
    # Of a delivery that was accepted, it does not matter what was wrong before.
    db.execute("update data.delivery set error = 'before' where delivered_at is not null")
    subscribe(db, "other", alerts=AT_ONCE, enabled=False)
    raise_alert(db, source="f")
    enqueue(db, NOW + SECOND)

    shown = list_subscriptions(db, "pager")
    assert (shown["pending"], shown["failed"], shown["error"]) == (3, 1, "status 410")
    assert shown["delivered_at"] == "2025-06-15T12:34:58.789+00:00"
    other = list_subscriptions(db, "other")
    assert (other["pending"], other["failed"], other["error"]) == (1, 0, None)


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


def test_an_alertmanager_gets_alerts_in_the_order_of_their_start(db: Connection) -> None:
    subscribe(db, type="alertmanager", alerts={})
    for hours, source in ((1, "a"), (3, "b"), (2, "c")):
        raise_alert(db, source=source, since=NOW - hours * HOUR)
    enqueue(db, NOW)

    (delivery,) = take(db)
    assert [alert["labels"]["source"] for alert in delivery["payload"]] == ["b", "c", "a"]


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


def test_no_alerts_are_enqueued_for_a_subscription_that_is_not_enabled(rule: Connection) -> None:
    subscribe(rule, alerts=AT_ONCE, enabled=False)

    fire(rule, "a")

    assert take(rule) == []
    assert ask(rule, "select count(*) from data.outbox") == 0


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


def test_each_fault_of_a_subscription_says_what_to_send(db: Connection) -> None:
    with refused(db, "document_refused") as problem:
        subscribe(db, alerts={"group_wait": "soon"}, facts={}, secret="short", url="ftp://x")

    url = "n http or https URL in ASCII, with a host, a port up to 65535 and no credentials."
    assert [(fault["field"], fault["detail"]) for fault in problem.params["faults"]] == [
        (
            "alerts.group_wait",
            'The value is the string "soon". Send a string of at most 5 characters: a number and'
            " its unit, such as 30s, 5m or 4h.",
        ),
        ("secret", "Send whsec_ and the base64 of 24 to 64 random bytes, or leave it out."),
        ("url", f"Send a{url}"),
    ]
    document = Jsonb({"author": "ann", "facts": {}})
    (fault,) = ask(db, "select internal.subscription_faults('pager', %s)", document)
    assert fault["detail"] == f"Send a string of at most 2000 characters: a{url}"


@pytest.mark.parametrize(
    ("part", "field", "most"),
    [("alerts", "group_by", 20), ("facts", "kinds", 100), ("facts", "sources", 100)],
)
def test_a_list_of_a_subscription_has_one_to_so_many_members(
    db: Connection, part: str, field: str, most: int
) -> None:
    prefix = "Fact:" if field == "kinds" else ""

    def members(count: int) -> Json:
        return {part: {field: [f"{prefix}Name{number}" for number in range(count)]}}

    for count in (1, most):
        assert subscribe(db, f"s{count}", **members(count))["outcome"] == "created"
    with refused(db, "document_refused"):
        subscribe(db, **members(most + 1))


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
