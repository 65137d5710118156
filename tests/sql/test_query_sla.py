"""Uptime, outages and error budget of servers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection

from tests.sql.calls import refused
from tests.sql.histories import (
    START,
    add_past,
    add_present,
    add_server,
    add_uptime,
    at,
    plan,
    query_sla,
    sla_of,
)

HOUR = 3600
# The year 1 in hours after the beginning of histories.
FIRST = (datetime(1, 1, 1, tzinfo=UTC) - START) / timedelta(hours=1)
NOTHING = {"up": 0, "degraded": 0, "down": 0, "unknown": 0, "maintenance": 0}


@pytest.fixture
def server(db: Connection) -> int:
    """A server with a target of 99 %, while the service was running."""
    add_uptime(db, (-10_000, 10_000))
    return add_server(db)


def test_seconds_add_up_to_the_range(db: Connection, server: int) -> None:
    add_past(db, server, "probe", [("up", 0, 10), ("down", 10, 11), ("degraded", 11, 12)])
    plan(db, 2, 4)

    assert sla_of(db, begin=0, end=24)["seconds"] == {
        "up": 8 * HOUR,
        "degraded": HOUR,
        "down": HOUR,
        "unknown": 12 * HOUR,
        "maintenance": 2 * HOUR,
    }


def test_uptime_leaves_unknown_and_maintenance_out_and_coverage_says_how_much_is_known(
    db: Connection, server: int
) -> None:
    add_past(db, server, "probe", [("up", 0, 6), ("degraded", 6, 8), ("down", 8, 10)])
    plan(db, 20, 24)

    item = sla_of(db, begin=0, end=24)
    assert item["uptime_percent"] == 80
    assert item["coverage_percent"] == 50


def test_an_error_budget_is_of_the_known_time(db: Connection, server: int) -> None:
    add_past(db, server, "probe", [("up", 0, 9.95), ("down", 9.95, 10)])

    item = sla_of(db, begin=0, end=24)
    assert item["target_percent"] == 99
    assert item["error_budget"] == {
        "total_seconds": 360,
        "used_seconds": 180,
        "left_seconds": 180,
        "left_percent": 50,
    }


def test_an_exceeded_error_budget_is_negative(db: Connection, server: int) -> None:
    add_past(db, server, "probe", [("up", 0, 9), ("down", 9, 10)])

    assert sla_of(db, begin=0, end=24)["error_budget"] == {
        "total_seconds": 360,
        "used_seconds": HOUR,
        "left_seconds": 360 - HOUR,
        "left_percent": -900,
    }


def test_outages_are_counted_with_the_longest_and_the_mean_time_to_recover(
    db: Connection, server: int
) -> None:
    add_past(
        db,
        server,
        "probe",
        [("down", 1, 2), ("up", 2, 3), ("down", 3, 6), ("degraded", 6, 7), ("down", 7, 12)],
    )

    # After the third one, nobody knows.
    assert sla_of(db, begin=0, end=24)["outages"] == {
        "count": 3,
        "longest_seconds": 5 * HOUR,
        "mean_seconds_to_recover": 2 * HOUR,
    }


def test_an_outage_that_still_lasts_has_not_recovered(db: Connection, server: int) -> None:
    add_present(db, server, "probe", "down", 20, 30)

    assert sla_of(db, window="1d")["outages"] == {
        "count": 1,
        "longest_seconds": 4 * HOUR,
        "mean_seconds_to_recover": None,
    }


def test_signals_that_take_turns_are_one_outage(db: Connection, server: int) -> None:
    add_past(db, server, "probe", [("down", 1, 2), ("up", 2, 5)])
    add_past(db, server, "report", [("down", 2, 3)])

    assert sla_of(db, begin=0, end=24)["outages"]["count"] == 1


def test_maintenance_is_no_outage(db: Connection, server: int) -> None:
    add_past(db, server, "probe", [("up", 0, 2), ("down", 2, 4), ("up", 4, 10)])
    plan(db, 2, 4)

    item = sla_of(db, begin=0, end=24)
    assert item["outages"]["count"] == 0
    assert item["uptime_percent"] == 100


def test_a_server_that_nobody_reported_about_has_no_percentages(
    db: Connection, server: int
) -> None:
    item = sla_of(db, begin=0, end=24)

    assert item["seconds"] == {**NOTHING, "unknown": 24 * HOUR}
    assert (item["uptime_percent"], item["coverage_percent"]) == (None, 0)
    assert item["error_budget"]["left_percent"] is None
    assert item["outages"] == {
        "count": 0,
        "longest_seconds": None,
        "mean_seconds_to_recover": None,
    }


def test_a_range_of_maintenance_only_has_no_coverage(db: Connection, server: int) -> None:
    plan(db, 0, 24)

    item = sla_of(db, begin=2, end=4)
    assert item["seconds"] == {**NOTHING, "maintenance": 2 * HOUR}
    assert item["coverage_percent"] is None


@pytest.mark.parametrize(("window", "hours"), [("7d", 168), ("36h", 36), ("90d", 2160)])
def test_a_window_ends_now(db: Connection, window: str, hours: int) -> None:
    add_server(db, registered=at(-10_000))

    answer = query_sla(db, window=window)
    assert (answer["window"], answer["from"], answer["to"]) == (
        window,
        at(24 - hours).isoformat(),
        at(24).isoformat(),
    )


def test_the_default_window_is_30_days(db: Connection) -> None:
    assert query_sla(db)["window"] == "30d"


def test_a_server_counts_from_its_registration_to_its_end(db: Connection) -> None:
    add_server(db, registered=at(3), deregistered=at(9))

    item = sla_of(db, begin=0, end=24)
    assert (item["from"], item["to"]) == (at(3).isoformat(), at(9).isoformat())
    assert item["seconds"]["unknown"] == 6 * HOUR


def test_a_server_that_was_not_registered_in_the_range_has_no_time(db: Connection) -> None:
    add_server(db, registered=at(12))

    item = sla_of(db, begin=0, end=6)
    assert (item["from"], item["to"], item["seconds"]) == (None, None, NOTHING)
    assert (item["days"], item["uptime_percent"]) == ([], None)
    assert item["outages"]["count"] == 0
    assert item["error_budget"] == {
        "total_seconds": 0,
        "used_seconds": 0,
        "left_seconds": 0,
        "left_percent": None,
    }
    assert query_sla(db, begin=0, end=6)["items"] == []


def test_the_list_has_the_servers_that_were_registered_within_the_range(db: Connection) -> None:
    add_server(db, "before", registered=at(1), deregistered=at(2))
    add_server(db, "at-the-end", registered=at(2), deregistered=at(2.5))
    add_server(db, "at-the-start", registered=at(2.5), deregistered=at(12))
    add_server(db, "after", registered=at(12))

    items = query_sla(db, begin=2, end=12)["items"]
    assert [(item["name"], item["from"], item["to"]) for item in items] == [
        ("at-the-end", at(2).isoformat(), at(2.5).isoformat()),
        ("at-the-start", at(2.5).isoformat(), at(12).isoformat()),
    ]


def test_a_server_whose_registration_ended_before_the_range_has_no_time(db: Connection) -> None:
    add_server(db, registered=at(1), deregistered=at(3))

    item = sla_of(db, begin=6, end=12)
    assert (item["from"], item["to"], item["seconds"]) == (None, None, NOTHING)


def test_as_of_before_the_registration_there_is_no_time(db: Connection) -> None:
    add_server(db, registered=at(12))

    assert sla_of(db, window="7d", as_of=6)["from"] is None


def test_what_lies_in_the_future_is_left_out(db: Connection, server: int) -> None:
    answer = query_sla(db, "acme/search", begin=0, end=48, now=24)

    assert answer["to"] == at(24).isoformat()
    assert answer["items"][0]["seconds"]["unknown"] == 24 * HOUR


def test_as_of_of_a_clock_that_is_ahead_is_now(db: Connection, server: int) -> None:
    assert query_sla(db, as_of=24 + 1 / 12, now=24)["as_of"] == at(24).isoformat()


def test_a_published_answer_can_be_asked_for_again(db: Connection, server: int) -> None:
    add_present(db, server, "probe", "up", 0, 24.01)
    published = query_sla(db, "acme/search", window="7d", now=24)
    db.execute("update data.health_state set expires_at = %s", [at(60)])
    plan(db, 2, 4, now=50)

    assert query_sla(db, "acme/search", window="7d", as_of=24, now=60) == published


def test_an_answer_just_before_the_service_ended_can_be_asked_for_again(db: Connection) -> None:
    add_uptime(db, (0, 23.999))
    add_present(db, add_server(db), "probe", "up", 0, 30)
    published = query_sla(db, "acme/search", window="7d", now=24)
    add_uptime(db, (25, 40))

    assert published["items"][0]["seconds"]["up"] == 24 * HOUR
    assert query_sla(db, "acme/search", window="7d", as_of=24, now=40) == published


@pytest.mark.parametrize(
    ("day", "hours"), [("2025-03-29", 24), ("2025-03-30", 23), ("2025-10-26", 25)]
)
def test_a_day_on_which_clocks_change_has_its_own_length(
    db: Connection, server: int, day: str, hours: int
) -> None:
    found = sla_of(db, begin=0, end=365 * 24, timezone="Europe/Berlin", now=9000)["days"]

    (bar,) = (bar for bar in found if bar["day"] == day)
    assert bar == {
        "day": day,
        "seconds": {**NOTHING, "unknown": hours * HOUR},
        "uptime_percent": None,
    }


def test_a_range_over_midnight_has_a_part_in_each_day(db: Connection, server: int) -> None:
    add_past(db, server, "probe", [("up", 20, 30), ("down", 30, 34)])

    days = sla_of(db, begin=0, end=48, now=48)["days"]
    assert [(bar["day"], bar["seconds"]["up"], bar["seconds"]["down"]) for bar in days] == [
        ("2025-03-01", 4 * HOUR, 0),
        ("2025-03-02", 6 * HOUR, 4 * HOUR),
    ]


def test_a_microsecond_over_midnight_is_of_the_next_day(db: Connection, server: int) -> None:
    db.execute(
        "insert into data.health_interval values (%s, 'probe', 'up', tstzrange(%s, %s))",
        [server, at(23), at(24) + timedelta(microseconds=1)],
    )

    days = sla_of(db, begin=0, end=48, now=48)["days"]
    assert [bar["seconds"]["up"] for bar in days] == [HOUR, 1e-6]


def test_budgets_and_times_to_recover_are_rounded_to_microseconds(db: Connection) -> None:
    add_uptime(db, (0, 24))
    server = add_server(db, target=99.9999)
    second = 1 / HOUR
    parts = [("down", n, n + length * second) for n, length in enumerate((1, 1, 2))]
    add_past(db, server, "probe", parts)
    add_past(db, server, "report", [("up", 0, 3)])

    item = sla_of(db, begin=0, end=24)
    assert item["outages"]["mean_seconds_to_recover"] == 1.333333
    assert sla_of(db, begin=2, end=2 + 1.5 * second)["error_budget"]["total_seconds"] == 2e-6


def test_days_and_restatements_are_of_one_server(db: Connection, server: int) -> None:
    (item,) = query_sla(db)["items"]

    assert item.keys() == sla_of(db).keys() - {"days", "restatements"}


def test_pages_follow_the_names(db: Connection) -> None:
    for name in ("e", "b", "d", "a", "c"):
        add_server(db, name)

    first = query_sla(db, limit=2)
    second = query_sla(db, limit=2, cursor=first["next_cursor"])
    third = query_sla(db, limit=2, cursor=second["next_cursor"])
    assert [item["name"] for item in first["items"]] == ["a", "b"]
    assert [item["name"] for item in second["items"]] == ["c", "d"]
    assert [item["name"] for item in third["items"]] == ["e"]
    assert third["next_cursor"] is None
    assert query_sla(db, limit=5)["next_cursor"] is None


def test_a_page_has_100_servers_by_default(db: Connection) -> None:
    for n in range(101):
        add_server(db, f"s{n:03}")

    answer = query_sla(db)
    assert [item["name"] for item in answer["items"]] == [f"s{n:03}" for n in range(100)]
    assert answer["next_cursor"] is not None


@pytest.mark.parametrize("asked", [{"begin": 2}, {"end": 20}])
def test_a_range_is_no_window(db: Connection, asked: dict[str, Any]) -> None:
    assert query_sla(db, **asked)["window"] is None


@pytest.mark.parametrize(
    ("asked", "slug", "field"),
    [
        ({"window": "1w"}, "window_well_formed", "window"),
        ({"window": "7d", "begin": 0}, "window_or_range", "window"),
        ({"window": "7d", "end": 0}, "window_or_range", "window"),
        ({"begin": 2, "end": 2}, "from_before_to", "from"),
        ({"begin": 25, "end": 30}, "from_in_past", "from"),
        ({"begin": 12, "as_of": 10}, "from_in_past", "from"),
        ({"begin": 10, "as_of": 10}, "from_in_past", "from"),
        ({"as_of": 48}, "as_of_not_in_future", "as_of"),
        ({"limit": 0}, "limit_in_range", "limit"),
        ({"limit": 1001}, "limit_in_range", "limit"),
        ({"cursor": "00"}, "cursor_invalid", "cursor"),
    ],
)
def test_a_question_that_means_nothing_is_refused(
    db: Connection, asked: dict[str, Any], slug: str, field: str
) -> None:
    with refused(db, slug) as refusal:
        query_sla(db, **asked)

    assert refusal.hint.endswith(".")
    assert refusal.message


@pytest.mark.parametrize(("end", "as_of"), [(FIRST + 24, None), (None, FIRST + 24)])
def test_a_window_that_begins_before_the_year_1_is_refused(
    db: Connection, end: float | None, as_of: float | None
) -> None:
    with refused(db, "from_in_range") as refusal:
        query_sla(db, end=end, as_of=as_of)

    assert "0001-01-01" in refusal.message
    assert query_sla(db, begin=FIRST, end=FIRST + 24)["from"] == "0001-01-01T00:00:00+00:00"


def test_an_unknown_time_zone_is_refused_with_the_nearest_name(db: Connection) -> None:
    with refused(db, "timezone_known") as refusal:
        query_sla(db, timezone="Europe/Berln")

    assert refusal.params == {"nearest": "Europe/Berlin"}
    assert refusal.hint.startswith('Did you mean "Europe/Berlin"?')


@pytest.mark.parametrize("timezone", ["XYZ+5", "CET+1:30", "", "local"])
def test_an_offset_with_letters_is_no_time_zone(db: Connection, timezone: str) -> None:
    with refused(db, "timezone_known"):
        query_sla(db, timezone=timezone)


def test_an_unknown_server_is_refused_with_the_nearest_name(db: Connection, server: int) -> None:
    with refused(db, "server_unknown") as refusal:
        query_sla(db, "acme/serach")

    assert refusal.params == {"nearest": "acme/search"}


@pytest.mark.parametrize(("view", "days"), [("sla_7d", 7), ("sla_30d", 30)])
def test_views_have_the_same_numbers(db: Connection, view: str, days: int) -> None:
    now = db.execute("select now()").fetchone()
    assert now is not None
    server = add_server(db, registered=now[0] - timedelta(days=400))
    db.execute(
        "insert into data.service_uptime values (tstzrange(now() - interval '400 days', now()))"
    )
    for status, begin, end in (("up", 8, 3), ("down", 3, 2.5), ("up", 2.5, 1)):
        db.execute(
            "insert into data.health_interval values (%s, 'probe', %s, tstzrange("
            "now() - %s * interval '1 day', now() - %s * interval '1 day'))",
            [server, status, begin, end],
        )
    db.execute("set local role supervisor_analyst")
    row = db.execute(f"select to_json(each) from analytics.{view} as each".encode()).fetchone()
    db.execute("reset role")
    answer = db.execute(
        "select api.query_sla(%s, null, null, null, null, null, null, null, now())", [f"{days}d"]
    ).fetchone()
    assert row is not None
    assert answer is not None
    (item,) = answer[0]["items"]

    assert row[0] | {"begins_at": 0, "ends_at": 0} == {
        "namespace": "",
        "name": item["name"],
        "begins_at": 0,
        "ends_at": 0,
        **{f"{status}_seconds": seconds for status, seconds in item["seconds"].items()},
        "uptime_percent": item["uptime_percent"],
        "coverage_percent": item["coverage_percent"],
        "outages": 1,
        "longest_outage_seconds": 12 * HOUR,
        "mean_seconds_to_recover": 12 * HOUR,
        "target_percent": 99,
        "budget_seconds": item["error_budget"]["total_seconds"],
        "budget_left_seconds": item["error_budget"]["left_seconds"],
        "budget_left_percent": item["error_budget"]["left_percent"],
    }
    assert json.dumps(row[0])
