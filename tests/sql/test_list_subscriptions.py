"""Subscriptions are listed in pages, with what has become of their deliveries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from psycopg import Connection

from tests.sql.calls import NOW, Json, ask, refused
from tests.sql.deliveries import AT_ONCE, enqueue, record, sources, subscribe, take
from tests.sql.raised_alerts import raise_alert

SECOND = timedelta(seconds=1)


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
