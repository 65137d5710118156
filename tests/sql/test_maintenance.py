"""Maintenance windows: planned, changed, cancelled, and what they restate."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from psycopg import Connection

from tests.sql.calls import Json, ask, refused
from tests.sql.histories import (
    add_past,
    add_server,
    add_uptime,
    at,
    hours,
    plan,
    query_sla,
    sla_of,
)

HOUR = 3600


@pytest.fixture(autouse=True)
def server(db: Connection) -> int:
    """A server that was down from the second to the fourth hour."""
    add_uptime(db, (-10_000, 10_000))
    server = add_server(db)
    add_past(db, server, "probe", [("up", 0, 2), ("down", 2, 4), ("up", 4, 20)])
    return server


def rows(db: Connection) -> list[tuple[Any, ...]]:
    return db.execute(
        "select during, author, reason, recorded from data.maintenance order by lower(recorded)"
    ).fetchall()


def restatements(db: Connection) -> list[Json]:
    found: list[Json] = sla_of(db, begin=0, end=24, now=100)["restatements"]
    return found


def list_maintenance(db: Connection, now: float = 24, **filters: object) -> Json:
    names = ("name", "from_", "to", "limit", "cursor")
    statement = "select api.list_maintenance(%s, %s, %s, %s, %s, %s)"
    answer: Json = ask(db, statement, *(filters.get(name) for name in names), at(now))
    return answer


def test_a_window_is_planned(db: Connection) -> None:
    assert plan(db, 30, 32) == {
        "id": "update-1",
        "status": "planned",
        "servers": ["acme/search"],
        "from": at(30).isoformat(),
        "to": at(32).isoformat(),
        "author": "ann",
        "reason": "update",
        "cancelled_by": None,
        "cancelled_reason": None,
        "changed": True,
        "restated": 0,
    }


def test_the_same_content_again_changes_nothing(db: Connection) -> None:
    first = plan(db, 2, 4, now=24)
    again = plan(db, 2, 4, now=30)

    assert again == {**first, "changed": False, "restated": 0}
    assert len(rows(db)) == len(restatements(db)) == 1


def test_a_change_keeps_what_was_planned_before(db: Connection) -> None:
    plan(db, 30, 32, now=24)
    plan(db, 30, 33, now=25, author="bob")

    assert rows(db) == [
        (hours(30, 32), "ann", "update", hours(24, 25)),
        (hours(30, 33), "bob", "update", type(hours(0, 1))(at(25), None)),
    ]


def test_two_changes_at_one_instant_are_kept_apart(db: Connection) -> None:
    plan(db, 30, 32, now=24)
    plan(db, 30, 33, now=24)
    plan(db, 30, 34, now=23)

    assert [during for during, *_ in rows(db)] == [hours(30, 32), hours(30, 33), hours(30, 34)]
    assert [recorded.lower - at(24) for *_, recorded in rows(db)] == [
        n * timedelta(microseconds=1) for n in range(3)
    ]


def test_a_change_from_before_a_server_joined_is_the_later_one(db: Connection) -> None:
    add_server(db, "acme/other")
    both = ["acme/search", "acme/other"]
    plan(db, 30, 32, now=24)
    plan(db, 30, 32, now=26, servers=both)

    assert plan(db, 30, 33, now=25, servers=both)["to"] == at(33).isoformat()


def test_a_window_starts_when_it_started_last(db: Connection) -> None:
    plan(db, 40, 50, now=24)
    plan(db, 30, 50, now=25)
    assert plan(db, None, 51, now=26)["from"] == at(30).isoformat()

    plan(db, None, None, now=27, cancelled=True)
    assert plan(db, None, 52, now=28)["from"] == at(28).isoformat()


def test_windows_are_changed_apart(db: Connection) -> None:
    add_server(db, "acme/other")
    plan(db, 30, 32, id_="a", servers=["acme/other"])
    plan(db, 30, 32, id_="b")
    first = plan(db, 30, 32, id_="c")

    assert plan(db, 30, 32, id_="c", servers=None, now=25) == {**first, "changed": False}
    assert plan(db, 30, 33, id_="c", servers=None, now=26)["servers"] == ["acme/search"]
    items = list_maintenance(db, now=27)["items"]
    assert [(item["id"], item["servers"], item["to"]) for item in items] == [
        ("a", ["acme/other"], at(32).isoformat()),
        ("b", ["acme/search"], at(32).isoformat()),
        ("c", ["acme/search"], at(33).isoformat()),
    ]


def test_a_window_without_a_start_starts_now_and_may_be_sent_again(db: Connection) -> None:
    first = plan(db, None, 32, now=24)
    again = plan(db, None, 32, now=25)

    assert (first["from"], first["status"], first["restated"]) == (at(24).isoformat(), "active", 0)
    assert again == {**first, "changed": False}


def test_servers_join_and_leave_a_window(db: Connection) -> None:
    add_server(db, "acme/other")
    plan(db, 30, 32, servers=["acme/search", "acme/other", "acme/other"])
    answer = plan(db, 30, 32, servers=["acme/other"], now=25)

    assert answer["servers"] == ["acme/other"]
    assert list_maintenance(db, name="acme/search", now=26)["items"] == []


def test_a_window_that_exists_keeps_its_servers(db: Connection) -> None:
    add_server(db, "acme/other")
    plan(db, 20, 32, servers=["acme/search", "acme/other"], now=24)
    answer = plan(db, None, 25, servers=None, now=25)

    assert answer["servers"] == ["acme/other", "acme/search"]
    assert (answer["from"], answer["to"]) == (at(20).isoformat(), at(25).isoformat())


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"id_": None}, 'invalid maintenance id ""'),
        ({"id_": "!" * 101}, f'invalid maintenance id "{"!" * 100}"'),
        ({"servers": None}, "servers has 0 names, not 1 to 1000"),
        ({"servers": [None]}, 'unknown server ""'),
        (
            {"servers": [f"{letter * 600}" for letter in "ab"]},
            f'unknown server "{"a" * 600}", "{"b" * 396}"',
        ),
    ],
)
def test_a_refusal_says_what_was_sent(db: Connection, asked: dict[str, Any], message: str) -> None:
    slug = "maintenance_id_well_formed"
    if "servers" in asked:
        slug = "servers_listed" if asked["servers"] is None else "server_unknown"
    with refused(db, slug) as refusal:
        plan(db, **asked)

    assert refusal.message == message
    assert plan(db, **{**asked, "id_": "a", "servers": ["acme/search"]})["status"] == "past"


def test_a_name_that_is_null_is_an_unknown_one_that_is_empty(db: Connection) -> None:
    with refused(db, "server_unknown") as refusal:
        plan(db, servers=[None, "acme/search"])

    assert refusal.params["unknown"] == [""]
    assert plan(db)["servers"] == ["acme/search"]


def test_an_unknown_name_is_refused_with_the_nearest_one(db: Connection) -> None:
    with refused(db, "server_unknown") as refusal:
        plan(db, servers=["acme/serach"])

    assert refusal.params == {"unknown": ["acme/serach"], "nearest": "acme/search"}
    assert refusal.hint.startswith('Did you mean "acme/search"?')
    assert plan(db)["servers"] == ["acme/search"]


@pytest.mark.parametrize(
    ("now", "status"), [(29, "planned"), (30, "active"), (31.9, "active"), (32, "past")]
)
def test_a_window_is_active_from_its_start_until_before_its_end(
    db: Connection, now: float, status: str
) -> None:
    plan(db, 30, 32, reason="x")

    (item,) = list_maintenance(db, now=now, from_=at(30), to=at(32))["items"]
    assert item["status"] == status


def test_all_names_that_are_not_registered_are_listed(db: Connection) -> None:
    add_server(db, "acme/gone")
    db.execute("update data.server set deregistered_at = %s where name = 'acme/gone'", [at(20)])
    with refused(db, "server_unknown") as refusal:
        plan(db, servers=["acme/serach", "acme/search", "acme/gone"])

    assert refusal.column == "servers"
    assert refusal.params["unknown"] == ["acme/gone", "acme/serach"]


def test_a_window_of_the_past_restates_the_sla(db: Connection) -> None:
    plan(db, 2, 4, now=24, reason="was planned")

    (restated,) = restatements(db)
    before, after = restated.pop("before"), restated.pop("after")
    assert restated == {
        "maintenance": "update-1",
        "from": at(2).isoformat(),
        "to": at(4).isoformat(),
        "author": "ann",
        "reason": "was planned",
        "restated_at": at(24).isoformat(),
    }
    assert before.keys() == after.keys() == {"7d", "30d", "90d"}
    assert (before["7d"]["uptime_percent"], after["7d"]["uptime_percent"]) == (90, 100)
    assert before["7d"]["seconds"]["down"] == after["7d"]["seconds"]["maintenance"] == 2 * HOUR


def test_a_window_that_has_begun_restates_only_what_has_passed(db: Connection) -> None:
    plan(db, 23, 30, now=24)

    (restated,) = restatements(db)
    assert (restated["from"], restated["to"]) == (at(23).isoformat(), at(24).isoformat())


def test_a_window_of_the_future_restates_nothing(db: Connection) -> None:
    assert plan(db, 24, 30, now=24)["restated"] == 0
    assert restatements(db) == []


def test_a_change_restates_the_time_that_differs(db: Connection) -> None:
    plan(db, 2, 4, now=24)
    plan(db, 2, 5, now=25)

    newest, _ = restatements(db)
    assert (newest["from"], newest["to"]) == (at(4).isoformat(), at(5).isoformat())


def test_a_window_of_the_past_that_moves_to_the_future_restates_the_past(db: Connection) -> None:
    plan(db, 2, 4, now=24)

    assert plan(db, 30, 32, now=25)["restated"] == 1
    newest, _ = restatements(db)
    assert (newest["from"], newest["to"]) == (at(2).isoformat(), at(4).isoformat())
    assert newest["before"]["7d"]["uptime_percent"] == 100
    assert newest["after"]["7d"]["uptime_percent"] == 90


def test_windows_of_one_instant_are_restated_apart(db: Connection) -> None:
    for cancelled, now in ((None, 24), (True, 25)):
        plan(db, 2, 3, id_="a", now=now, cancelled=cancelled)

        assert plan(db, 3, 4, id_="b", now=now, cancelled=cancelled)["restated"] == 1
        newest = restatements(db)[0]
        assert (newest["from"], newest["to"]) == (at(3).isoformat(), at(4).isoformat())


def test_the_newest_100_restatements_of_a_server_are_shown_the_last_one_first(
    db: Connection, server: int
) -> None:
    other = add_server(db, "acme/other")
    for number, begin, restated_at in ((other, 2, 30), (server, 24, 30), (server, 2, 31.5)):
        db.execute(
            "insert into data.sla_restatement"
            " (server_id, maintenance_id, during, author, reason, before, after, restated_at)"
            " values (%s, 'm', %s, 'ann', 'another', '{}', '{}', %s)",
            [number, hours(begin, begin + 1), at(restated_at)],
        )
    db.execute(
        "insert into data.sla_restatement"
        " (server_id, maintenance_id, during, author, reason, before, after, restated_at)"
        " select %s, 'm', %s, 'ann', n, '{}', '{}', %s + n %% 10 * interval '1 minute'"
        " from generate_series(0, 100) as n",
        [server, hours(2, 3), at(30)],
    )

    found = sla_of(db, begin=0, end=24, as_of=30 + 9 / 60, now=100)["restatements"]
    numbers = sorted(range(101), key=lambda n: (n % 10, n), reverse=True)
    assert [each["reason"] for each in found] == [str(n) for n in numbers[:100]]


def test_the_figures_of_a_restatement_are_of_7_30_and_90_days(db: Connection) -> None:
    add_server(db, "acme/old", registered=at(-9_000))
    plan(db, 2, 4, servers=["acme/old"])

    (restated,) = sla_of(db, "acme/old", begin=0, end=24, now=100)["restatements"]
    for figures in (restated["before"], restated["after"]):
        assert [(window, sum(each["seconds"].values())) for window, each in figures.items()] == [
            ("7d", 7 * 24 * HOUR),
            ("30d", 30 * 24 * HOUR),
            ("90d", 90 * 24 * HOUR),
        ]


def test_a_server_without_figures_is_restated_too(db: Connection) -> None:
    add_server(db, "acme/new", registered=at(24))

    assert plan(db, 2, 4, now=24, servers=["acme/new"])["restated"] == 1
    (restated,) = sla_of(db, "acme/new", begin=0, end=48, now=100)["restatements"]
    assert (restated["before"], restated["after"]) == ({}, {})


def test_another_reason_restates_nothing(db: Connection) -> None:
    plan(db, 2, 4, now=24)

    assert plan(db, 2, 4, now=25, reason="typo")["restated"] == 0


def test_a_cancelled_window_counts_no_more(db: Connection) -> None:
    plan(db, 2, 4, now=24)
    answer = plan(db, None, None, now=25, cancelled=True, reason="wrong day")

    assert (answer["status"], answer["changed"], answer["restated"]) == ("cancelled", True, 1)
    assert sla_of(db, begin=0, end=24, now=26)["seconds"]["maintenance"] == 0
    assert restatements(db)[0]["reason"] == "wrong day"
    assert plan(db, None, None, now=26, cancelled=True)["changed"] is False


def test_a_cancelled_window_says_who_cancelled_it_and_why(db: Connection) -> None:
    planned = plan(db, 30, 32, now=24)
    plan(db, None, None, now=25, cancelled=True, author="bob", reason="postponed")
    again = plan(db, None, None, now=26, cancelled=True, author="eve", reason="no")
    replanned = plan(db, 30, 32, now=27)

    said = [
        (each["cancelled_by"], each["cancelled_reason"]) for each in (planned, again, replanned)
    ]
    assert said == [(None, None), ("bob", "postponed"), (None, None)]
    assert again["author"] == planned["author"]


def test_a_cancelled_window_can_be_planned_again(db: Connection) -> None:
    plan(db, 30, 32, now=24)
    plan(db, None, None, now=25, cancelled=True)

    assert plan(db, 30, 32, now=26)["status"] == "planned"
    assert len(rows(db)) == 2


def test_what_was_published_before_a_window_stays_queryable(db: Connection) -> None:
    published = query_sla(db, "acme/search", window="7d", now=24)
    plan(db, 2, 4, now=30)
    first = query_sla(db, "acme/search", window="7d", now=31)
    plan(db, 2, 3, now=40)
    plan(db, None, None, now=50, cancelled=True)

    assert query_sla(db, "acme/search", window="7d", as_of=24, now=60) == published
    assert query_sla(db, "acme/search", window="7d", as_of=31, now=60) == first
    assert [
        sla_of(db, begin=0, end=24, as_of=t, now=60)["uptime_percent"] for t in (24, 31, 60)
    ] == [
        90,
        100,
        90,
    ]


def test_windows_that_overlap_count_once(db: Connection) -> None:
    plan(db, 2, 4, id_="a")
    plan(db, 3, 5, id_="b")

    assert sla_of(db, begin=0, end=24)["seconds"]["maintenance"] == 3 * HOUR


def test_windows_that_have_not_ended_are_listed_the_earliest_first(db: Connection) -> None:
    for id_, begin, end in (("late", 40, 41), ("now", 20, 30), ("past", 1, 2), ("soon", 40, 50)):
        plan(db, begin, end, id_=id_)

    first = list_maintenance(db, limit=2)
    second = list_maintenance(db, limit=2, cursor=first["next_cursor"])
    assert [(item["id"], item["status"]) for item in first["items"]] == [
        ("now", "active"),
        ("late", "planned"),
    ]
    assert [item["id"] for item in second["items"]] == ["soon"]
    assert second["next_cursor"] is None
    assert [item["id"] for item in list_maintenance(db, limit=1)["items"]] == ["now"]
    assert list_maintenance(db, limit=3)["next_cursor"] is None
    past = list_maintenance(db, from_=at(0), to=at(10))
    assert [(item["id"], item["status"]) for item in past["items"]] == [("past", "past")]


def test_a_page_has_100_windows_by_default_and_1000_at_most(db: Connection, server: int) -> None:
    db.execute(
        "insert into data.maintenance"
        " select 'w' || lpad(n::text, 3, '0'), %s, tstzrange(%s, %s), 'ann', 'move', '[-infinity,)'"
        " from generate_series(0, 100) as n",
        [server, at(30), at(40)],
    )

    answer = list_maintenance(db)
    assert [item["id"] for item in answer["items"]] == [f"w{n:03}" for n in range(100)]
    rest = list_maintenance(db, cursor=answer["next_cursor"])
    assert [item["id"] for item in rest["items"]] == ["w100"]
    with refused(db, "limit_in_range"):
        list_maintenance(db, limit=1001)


def test_a_plan_from_before_a_cancellation_that_came_first_is_the_later_one(db: Connection) -> None:
    plan(db, 30, 32, now=23)
    plan(db, 30, 32.5, now=24)
    plan(db, None, None, now=26, cancelled=True)
    answer = plan(db, 30, 33, now=25)

    assert (answer["status"], answer["changed"]) == ("planned", True)
    assert [row[0].upper for row in rows(db)] == [at(32), at(32.5), at(33)]


def test_a_cancelled_window_is_not_listed(db: Connection) -> None:
    plan(db, 30, 32)
    plan(db, None, None, now=25, cancelled=True)

    assert list_maintenance(db, now=26)["items"] == []


@pytest.mark.parametrize(
    ("asked", "slug"),
    [
        ({"servers": []}, "servers_listed"),
        ({"servers": None}, "servers_listed"),
        ({"servers": ["x"] * 1001}, "servers_listed"),
        ({"servers": ["acme/search", "acme/serach"]}, "server_unknown"),
        ({"end": None}, "parameter_required"),
        ({"end": 2}, "from_before_to"),
        ({"author": ""}, "author_well_formed"),
        ({"author": None}, "author_well_formed"),
        ({"reason": None}, "reason_in_range"),
        ({"author": "a\nb"}, "author_well_formed"),
        ({"reason": ""}, "reason_in_range"),
        ({"reason": "x" * 1001}, "reason_in_range"),
        ({"cancelled": True}, "maintenance_unknown"),
        ({"id_": "a b"}, "maintenance_id_well_formed"),
        ({"id_": None}, "maintenance_id_well_formed"),
    ],
)
def test_a_window_that_means_nothing_is_refused(
    db: Connection, asked: dict[str, Any], slug: str
) -> None:
    with refused(db, slug) as refusal:
        plan(db, **asked)

    assert refusal.hint.endswith(".")
    assert rows(db) == []
    assert plan(db)["changed"] is True
