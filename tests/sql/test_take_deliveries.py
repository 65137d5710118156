"""What is taken to be sent: in which order, how much at once, and how much in a request."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from psycopg import Connection

from tests.sql.alerts import evaluate
from tests.sql.calls import NOW, Json, ago, ask, fact, ingest_facts
from tests.sql.deliveries import AT_ONCE, define_by_source, fire, record, sources, subscribe, take

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def rule(db: Connection) -> Connection:
    """A rule that fires by source."""
    define_by_source(db)
    return db


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
