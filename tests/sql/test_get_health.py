"""What get_health, list_health and the views show."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection
from psycopg.types.range import TimestamptzRange

from tests.sql.calls import Json, ask, refused
from tests.sql.reports import add_server, at, record
from tests.sql.test_current_health import plan, run
from tests.sql.test_heartbeat import heartbeat
from tests.sql.test_roles import acting_as


@pytest.fixture(autouse=True)
def running(db: Connection) -> None:
    """The service runs from two days before START until two hours after it."""
    run(db, -2 * 86400, 7200)


def get_health(conn: Connection, now: datetime, name: str = "acme/search") -> Json:
    answer: Json = ask(conn, "select api.get_health(%s, %s)", name, now)
    return answer


def list_health(
    conn: Connection,
    now: datetime,
    *,
    status: str | None = None,
    tag: str | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Json:
    statement = "select api.list_health(%s, %s, %s, %s, %s)"
    answer: Json = ask(conn, statement, status, tag, limit, cursor, now)
    return answer


def seconds(instant: Any) -> float:
    return (datetime.fromisoformat(instant) - at(0)).total_seconds()


def test_a_server_that_nobody_reported_on_is_unknown(db: Connection) -> None:
    add_server(db)
    answer = get_health(db, at(0))

    assert answer["status"] == "unknown"
    (probe,) = answer["signals"]
    assert (probe["signal"], probe["status"], probe["streak"]) == ("probe", "unknown", 0)
    assert answer["outages"] == []
    assert (answer["disagree"], answer["disagreement"]) == (False, None)
    assert answer["maintenance"] == {"now": None, "next": None}


def test_a_report_of_a_moment_later_counts_in_the_whole_answer(db: Connection) -> None:
    server = add_server(db, failures=1)
    record(db, server, [(10, "down")])
    answer = get_health(db, at(9.9))

    assert answer["status"] == answer["signals"][-1]["status"] == "down"
    assert seconds(answer["since"]) == seconds(answer["computed_at"]) == 10
    assert list_health(db, at(9.9))["items"][0]["status"] == "down"


def test_an_answer_is_computed_at_the_newest_report_on_the_server(db: Connection) -> None:
    server = add_server(db)
    record(db, server, [(0, "up"), (10, "up")])
    record(db, server, [(5, "up")], signal="probe")
    record(db, add_server(db, "other"), [(20, "up")])

    assert seconds(get_health(db, at(4))["computed_at"]) == 10
    assert seconds(get_health(db, at(15))["computed_at"]) == 15


def test_every_signal_is_shown_with_its_newest_report(db: Connection) -> None:
    server = add_server(db)
    heartbeat(db, ["acme/search"], at(0))
    record(db, server, [(0, "up"), (10, "down"), (20, "down")], signal="probe")
    answer = get_health(db, at(30))

    keepalive, probe = answer["signals"]
    assert (keepalive["signal"], keepalive["status"], keepalive["streak"]) == ("keepalive", "up", 1)
    assert seconds(probe.pop("since")) == 0
    assert seconds(probe.pop("last_at")) == 20
    assert seconds(probe.pop("expires_at")) == 200
    assert probe == {
        "signal": "probe",
        "status": "up",
        "last_status": "down",
        "streak": 2,
        "latency_ms": None,
        "detail": "down at 3",
    }


def test_a_streak_counts_the_newest_reports_that_say_the_same(db: Connection) -> None:
    server = add_server(db)
    record(db, server, [(0, "up"), (10, "up"), (20, "down")], signal="probe")
    (probe,) = get_health(db, at(30))["signals"]

    assert (probe["last_status"], probe["streak"]) == ("down", 1)


def test_a_signal_that_fell_silent_is_unknown_since_then(db: Connection) -> None:
    server = add_server(db)
    record(db, server, [(0, "up")])
    _, signal = get_health(db, at(500))["signals"]

    assert (signal["status"], seconds(signal["since"])) == ("unknown", 180)
    assert signal["last_status"] == "up"


def test_signals_that_disagree_are_put_in_words(db: Connection) -> None:
    server = add_server(db, failures=1)
    heartbeat(db, ["acme/search"], at(0))
    record(db, server, [(0, "up")], signal="probe")
    assert get_health(db, at(5))["disagree"] is False

    db.execute(
        "select internal.record_health(array[row(%s, 'traffic', %s, 'degraded', null, null,"
        " '40 %% errors (40 of 100 calls)', now())::data.health_report], %s)",
        [server, at(6), at(6)],
    )
    answer = get_health(db, at(7))
    assert answer["status"] == "degraded"
    assert answer["disagree"] is True
    assert answer["disagreement"] == (
        "keep-alives arrive, probe is up, callers see 40 % errors (40 of 100 calls)"
    )


def test_the_window_of_now_and_the_next_one_are_shown(db: Connection) -> None:
    server = add_server(db)
    plan(db, server, 100, 200)
    db.execute(
        "insert into data.maintenance values ('n', %s, %s, 'ops', 'move', %s)",
        [server, TimestamptzRange(at(400), at(500)), TimestamptzRange(at(0), None)],
    )

    before, within = (get_health(db, at(each))["maintenance"] for each in (50, 150))
    assert (before["now"], before["next"]["id"]) == (None, "m")
    assert (within["now"]["reason"], within["next"]["id"]) == ("upgrade", "n")
    assert within["now"]["author"] == "ops"
    assert get_health(db, at(150))["status"] == "maintenance"


def test_of_windows_of_now_the_last_to_end_is_shown_and_of_later_ones_the_first(
    db: Connection,
) -> None:
    servers = {"acme/search": add_server(db), "other": add_server(db, "other")}
    for id_, name, begin, end, recorded_until in (
        ("a1", "acme/search", 0, 20, None),
        ("c1", "acme/search", 0, 30, None),
        ("b1", "acme/search", 5, 30, None),
        ("past", "acme/search", 0, 10, None),
        ("cancelled", "acme/search", 0, 90, 5),
        ("later", "acme/search", 50, 60, None),
        ("next", "acme/search", 40, 80, None),
        ("then", "acme/search", 40, 90, None),
        ("cancelled-too", "acme/search", 35, 90, 5),
        ("of-other", "other", 0, 99, None),
        ("next-of-other", "other", 20, 99, None),
        ("after-next", "acme/search", 45, 60, None),
    ):
        until = None if recorded_until is None else at(recorded_until)
        db.execute(
            "insert into data.maintenance values (%s, %s, %s, 'ops', 'move', %s)",
            [
                id_,
                servers[name],
                TimestamptzRange(at(begin), at(end)),
                TimestamptzRange(at(0), until),
            ],
        )

    def shown(now: float) -> list[str | None]:
        found = get_health(db, at(now))["maintenance"]
        return [each and each["id"] for each in (found["now"], found["next"])]

    assert shown(10) == ["b1", "next"]
    # A window that begins now is not the next one.
    assert shown(40) == ["then", "after-next"]
    assert shown(50) == ["then", None]


def test_the_last_outages_are_shown_with_their_reasons(db: Connection) -> None:
    server = add_server(db, failures=1, successes=1)
    record(db, server, [(0, "up"), (100, "down"), (200, "up"), (300, "down")])
    record(db, server, [(110, "down"), (250, "up")], signal="probe")
    first, second = get_health(db, at(310))["outages"]

    assert (seconds(first["from"]), first["to"], first["seconds"]) == (300, None, 10)
    assert first["reasons"] == ["report: down at 4"]
    assert (seconds(second["from"]), seconds(second["to"])) == (100, 250)
    assert second["reasons"] == ["report: down at 2", "probe: down at 1"]


def test_five_outages_of_90_days_are_shown_the_newest_first(db: Connection) -> None:
    day = 86400
    run(db, -100 * day, -2 * day)
    server = add_server(db, registered=at(-100 * day))
    for begin in (-91 * day, -80 * day, -80 * day + 60):
        db.execute(
            "insert into data.health_interval values (%s, 'probe', 'down', %s)",
            [server, TimestamptzRange(at(begin), at(begin + 30))],
        )

    def begins() -> list[float]:
        return [seconds(each["from"]) for each in get_health(db, at(400))["outages"]]

    assert begins() == [-80 * day + 60, -80 * day]
    for begin in (200, 0, 300, 100):
        db.execute(
            "insert into data.health_interval values (%s, 'probe', 'down', %s)",
            [server, TimestamptzRange(at(begin), at(begin + 30))],
        )
    assert begins() == [300, 200, 100, 0, -80 * day + 60]
    assert get_health(db, at(400))["outages"][0]["reasons"] == ["probe"]


def test_the_reasons_of_an_outage_come_in_the_order_in_which_they_began(db: Connection) -> None:
    servers = {name: add_server(db, name) for name in ("acme/search", "other")}
    for name, signal, status, begin, end, reason in (
        ("acme/search", "report", "down", 0, 20, "refused"),
        ("acme/search", "probe", "down", 10, 40, "timeout"),
        ("acme/search", "report", "down", 30, 50, "refused"),
        ("acme/search", "traffic", "degraded", 0, 50, "slow"),
        ("acme/search", "report", "down", 60, 70, "earlier"),
        ("other", "report", "down", 0, 50, "other"),
    ):
        db.execute(
            "insert into data.health_interval values (%s, %s, %s, %s, %s)",
            [servers[name], signal, status, TimestamptzRange(at(begin), at(end)), reason],
        )

    _, first = get_health(db, at(90))["outages"]
    assert (seconds(first["from"]), seconds(first["to"])) == (0, 50)
    assert first["reasons"] == ["report: refused", "probe: timeout"]


def test_a_signal_is_no_reason_of_an_outage_that_it_only_touches(db: Connection) -> None:
    servers = {name: add_server(db, name) for name in ("acme/search", "other")}
    for name, signal, status, since, expires in (
        ("acme/search", "report", "down", 0, 100),
        ("acme/search", "probe", "down", 50, 300),
        ("acme/search", "traffic", "degraded", 0, 300),
        ("other", "keepalive", "down", 0, 300),
    ):
        db.execute(
            "insert into data.health_state"
            " (server_id, signal, status, since, last_at, expires_at, recent)"
            " values (%s, %s, %s, %s, %s, %s, '{}')",
            [servers[name], signal, status, at(since), at(since), at(expires)],
        )
    plan(db, servers["acme/search"], 50, 100)

    found = get_health(db, at(150))["outages"]
    assert [(seconds(each["from"]), each["reasons"]) for each in found] == [
        (100, ["probe"]),
        (0, ["report"]),
    ]


def test_maintenance_is_no_outage(db: Connection) -> None:
    server = add_server(db, failures=1, successes=1)
    record(db, server, [(0, "down"), (120, "down"), (240, "down"), (250, "up")])
    plan(db, server, 100, 200)
    outages = get_health(db, at(260))["outages"]

    assert [(seconds(each["from"]), seconds(each["to"])) for each in outages] == [
        (200, 250),
        (0, 100),
    ]


def test_an_unknown_server_is_an_error(db: Connection) -> None:
    add_server(db)
    with refused(db, "server_unknown") as refusal:
        get_health(db, at(0), "acme/serach")

    assert refusal.params == {"nearest": "acme/search"}


def test_the_list_has_every_registered_server_by_name(db: Connection) -> None:
    servers = {name: add_server(db, name) for name in ("b", "a", "c")}
    add_server(db, "gone", deregistered=at(-1))
    record(db, servers["b"], [(0, "up")])
    items = list_health(db, at(10))["items"]

    assert [(each["server"], each["status"], each["report"]) for each in items] == [
        ("a", "unknown", "unknown"),
        ("b", "up", "up"),
        ("c", "unknown", "unknown"),
    ]
    assert seconds(items[1].pop("since")) == 0
    assert items[1] == {
        "server": "b",
        "status": "up",
        "keepalive": "unknown",
        "probe": "unknown",
        "traffic": "unknown",
        "report": "up",
        "disagreement": None,
    }


def test_without_servers_the_list_is_empty(db: Connection) -> None:
    assert list_health(db, at(0)) == {"items": [], "next_cursor": None}


def test_a_page_of_the_list_has_100_servers_by_default_and_1000_at_most(db: Connection) -> None:
    for n in range(101):
        add_server(db, f"s{n:03}")

    answer = list_health(db, at(0))
    assert [each["server"] for each in answer["items"]] == [f"s{n:03}" for n in range(100)]
    assert answer["next_cursor"] is not None
    with refused(db, "limit_in_range"):
        list_health(db, at(0), limit=1001)


def test_the_list_is_filtered_and_has_pages(db: Connection) -> None:
    for n in (3, 1, 4, 0, 2):
        server = add_server(db, f"s{n}", failures=1, tags=["x"] if n else [])
        record(db, server, [(0, "down" if n % 2 else "up")])

    def names(answer: Json) -> list[str]:
        return [each["server"] for each in answer["items"]]

    assert names(list_health(db, at(10), status="down")) == ["s1", "s3"]
    assert names(list_health(db, at(10), tag="x", status="up")) == ["s2", "s4"]
    first = list_health(db, at(10), limit=2, tag="x")
    second = list_health(db, at(10), limit=2, tag="x", cursor=first["next_cursor"])
    assert names(first) + names(second) == ["s1", "s2", "s3", "s4"]
    assert second["next_cursor"] is None


def test_a_status_that_there_is_not_is_refused(db: Connection) -> None:
    with refused(db, "health_status_known") as refusal:
        list_health(db, at(0), status="o" * 101)

    assert refusal.message == f'unknown status "{"o" * 100}"'
    assert list_health(db, at(0), status="up")["items"] == []


def test_analysts_read_health_and_outages(db: Connection) -> None:
    now: datetime = ask(db, "select now()")
    server = add_server(db, failures=1, successes=1, registered=now - timedelta(days=1))
    db.execute("delete from data.service_uptime")
    db.execute(
        "insert into data.service_uptime values (%s)",
        [TimestamptzRange(now - timedelta(days=1), now + timedelta(seconds=1))],
    )
    db.execute(
        "select internal.record_health(array("
        " select row(%s, 'probe', %s - n * interval '1 minute', status, null, null, status, %s)"
        " ::data.health_report"
        " from (values (3, 'up'), (2, 'down'), (1, 'up')) as sent (n, status)), %s)",
        [server, now, now, now],
    )
    with acting_as(db, "supervisor_analyst"):
        row = db.execute("select server, status, probe, report from analytics.health_status")
        assert row.fetchall() == [("acme/search", "up", "up", "unknown")]
        rows = db.execute("select server, duration_seconds, reasons from analytics.outages")
        assert rows.fetchall() == [("acme/search", 60, ["probe: down"])]
        assert ask(db, "select ended_at from analytics.outages") == now - timedelta(minutes=1)


def test_analysts_read_the_outages_of_400_days_and_of_now(db: Connection) -> None:
    now: datetime = ask(db, "select now()")
    day, minute = timedelta(days=1), timedelta(minutes=1)
    server = add_server(db, registered=now - 600 * day)
    db.execute("delete from data.service_uptime")
    db.execute(
        "insert into data.service_uptime values (%s)",
        [TimestamptzRange(now - 600 * day, now + minute)],
    )
    for days in (401, 399):
        begin = now - days * day
        db.execute(
            "insert into data.health_interval values (%s, 'probe', 'down', %s)",
            [server, TimestamptzRange(begin, begin + minute)],
        )
    db.execute(
        "insert into data.health_state"
        " (server_id, signal, status, since, last_at, expires_at, recent)"
        " values (%s, 'probe', 'down', %s, %s, %s, '{}')",
        [server, now - minute, now - minute, now + minute],
    )

    with acting_as(db, "supervisor_analyst"):
        rows = db.execute("select started_at, ended_at from analytics.outages order by 1")
        assert rows.fetchall() == [
            (now - 399 * day, now - 399 * day + minute),
            (now - minute, None),
        ]


def test_analysts_see_that_nothing_is_known_of_a_server(db: Connection) -> None:
    add_server(db)

    with acting_as(db, "supervisor_analyst"):
        row = db.execute(
            "select status, keepalive, probe, traffic, report, disagreement"
            " from analytics.health_status"
        ).fetchone()
    assert row == (*["unknown"] * 5, None)


def test_reading_health_works_in_a_read_only_transaction(db: Connection) -> None:
    add_server(db)
    db.execute("set local transaction_read_only = on")

    assert get_health(db, at(0))["server"] == "acme/search"
    assert len(list_health(db, at(0))["items"]) == 1


def test_each_server_has_the_signals_of_its_own(db: Connection) -> None:
    record(db, add_server(db, "probed"), [(0, "up")], signal="probe")
    add_server(db, "alive")
    heartbeat(db, ["alive"], at(0))

    found = {name: get_health(db, at(5), name) for name in ("probed", "alive")}
    shown = {
        name: [(each["signal"], each["status"]) for each in answer["signals"]]
        for name, answer in found.items()
    }
    assert shown == {
        "probed": [("probe", "up")],
        "alive": [("keepalive", "up"), ("probe", "unknown")],
    }
    # What is not known agrees with everything.
    assert {(each["disagree"], each["disagreement"]) for each in found.values()} == {(False, None)}


def test_signals_come_in_one_order_and_only_those_that_are_known_disagree(db: Connection) -> None:
    server = add_server(db, failures=1)
    record(db, server, [(0, "degraded")])
    record(db, server, [(1, "up")], signal="traffic")
    heartbeat(db, ["acme/search"], at(2))
    answer = get_health(db, at(5))

    assert [each["signal"] for each in answer["signals"]] == [
        "keepalive",
        "probe",
        "traffic",
        "report",
    ]
    assert answer["disagreement"].startswith("keep-alives arrive, callers see ")
    assert "probe" not in answer["disagreement"]


def test_a_signal_is_unknown_from_the_moment_at_which_its_report_ends(db: Connection) -> None:
    record(db, add_server(db), [(0, "up")])
    _, before = get_health(db, at(179.999))["signals"]
    _, then = get_health(db, at(180))["signals"]

    assert [(each["status"], each["detail"]) for each in (before, then)] == [
        ("up", "up at 1"),
        ("unknown", "up at 1"),
    ]
