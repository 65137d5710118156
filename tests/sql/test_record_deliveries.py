"""What becomes of deliveries that were accepted, failed or were refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from psycopg import Connection

from tests.sql.calls import NOW, Json, ask
from tests.sql.deliveries import AT_ONCE, define_by_source, fire, record, subscribe, take

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def rule(db: Connection) -> Connection:
    """A rule that fires by source."""
    define_by_source(db)
    return db


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


def test_an_alertmanager_that_was_away_is_asked_again_soon(rule: Connection) -> None:
    subscribe(rule, type="alertmanager", alerts={})
    fire(rule, "a")
    now = NOW
    for _ in range(10):
        (delivery,) = take(rule, now)
        record(rule, delivery, delivered=False, now=now)
        now += MINUTE

    assert len(take(rule, now)) == 1
