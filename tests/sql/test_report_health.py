"""Reports of health as items of a batch."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import NOW, Json, ago, as_body, ask, receipt, refused
from tests.sql.reports import add_server, history, state
from tests.sql.test_concurrency import SESSIONS, at_once


def report(server: object = "acme/search", status: object = "up", **more: object) -> Json:
    """An item."""
    return {"server": server, "status": status, **more}


def report_health(
    conn: Connection, items: object, *, partial: bool = False, key: str | None = None
) -> Json:
    answer: Json = ask(
        conn, "select api.report_health(%s, %s, %s, %s)", as_body(items), partial, key, NOW
    )
    return answer


def test_a_report_is_stored_with_all_that_it_says(db: Connection) -> None:
    server = add_server(db)
    sent = report(
        status="degraded", ts=ago(seconds=5), latency_ms=812.5, detail="slow", reporter="agent 7"
    )

    assert report_health(db, sent) == receipt(1)
    stored = db.execute(
        "select server_id, signal, ts, status, reporter, latency_ms, detail, received_at"
        " from data.health_report"
    ).fetchone()
    at = NOW - timedelta(seconds=5)
    assert stored == (server, "report", at, "degraded", "agent 7", 812.5, "slow", NOW)
    assert state(db, server)[0] == "degraded"
    shown = db.execute("select latency_ms, detail, reason from data.health_state").fetchone()
    assert shown == (812.5, "slow", "slow")


def test_reports_of_a_batch_count_in_the_order_of_their_times(db: Connection) -> None:
    server = add_server(db)
    sent = [report(status="down", ts=ago(seconds=n)) for n in (10, 20, 30)]

    assert report_health(db, [*sent, report(ts=ago(seconds=40))]) == receipt(4)
    assert [each[0] for each in history(db, server)] == ["up", "down"]


def test_reports_of_a_batch_move_each_server_by_its_own(db: Connection) -> None:
    a, b = (add_server(db, name, failures=1, successes=1) for name in ("a", "b"))
    sent = [
        report("a", ts=ago(seconds=10)),
        report("b", "down", ts=ago(seconds=9)),
        report("a", "degraded", ts=ago(seconds=8)),
        report("b", ts=ago(seconds=7)),
        report("b", ts=ago(seconds=6)),
    ]

    assert report_health(db, sent) == receipt(5)
    found = {server: history(db, server, now=NOW) for server in (a, b)}
    assert found == {
        a: [("up", 3590, 3592), ("degraded", 3592, 3600)],
        b: [("down", 3591, 3593), ("up", 3593, 3600)],
    }
    last = "select server_id, last_at from data.health_state order by 1"
    assert db.execute(last).fetchall() == [
        (a, NOW - timedelta(seconds=8)),
        (b, NOW - timedelta(seconds=6)),
    ]


def test_a_report_sent_again_is_a_duplicate(db: Connection) -> None:
    server = add_server(db)
    sent = [report(ts=ago(seconds=9)), report(status="down", ts=ago(seconds=8), reporter="a")]
    report_health(db, sent)

    assert report_health(db, sent) == receipt(0, duplicate=2)
    assert report_health(db, [sent[0], sent[0]]) == receipt(0, duplicate=2)
    assert ask(db, "select count(*) from data.health_report") == 2
    assert ask(db, "select recent from data.health_state where server_id = %s", server) == [
        "up",
        "down",
    ]


def test_of_equal_reports_of_a_batch_the_first_one_counts(db: Connection) -> None:
    server = add_server(db, failures=1, successes=1)
    sent = [report(status=status, ts=ago(seconds=9)) for status in ("up", "down", "up")]

    assert report_health(db, sent) == receipt(2, duplicate=1)
    assert state(db, server)[0] == "down"


def test_of_reports_of_one_time_the_last_one_of_the_batch_counts(db: Connection) -> None:
    server = add_server(db, failures=1, successes=1)

    report_health(db, [report(status=status, ts=ago(seconds=9)) for status in ("up", "down")])
    assert state(db, server)[0] == "down"


def test_a_report_of_another_reporter_at_the_same_time_is_one_more(db: Connection) -> None:
    add_server(db)
    report_health(db, report(ts=ago(seconds=9), reporter="a"))

    assert report_health(db, report(ts=ago(seconds=9), reporter="b")) == receipt(1)


def test_a_key_makes_reports_without_a_time_safe_to_repeat(db: Connection) -> None:
    add_server(db)
    first = report_health(db, report(status="down"), key="k")

    assert report_health(db, report(status="down"), key="k") == first == receipt(1)
    assert ask(db, "select count(*) from data.health_report") == 1


@pytest.mark.parametrize(
    ("item", "field", "slug"),
    [
        (report(server="acme/serach"), "server", "server_registered"),
        (report(server=7), "server", "server_registered"),
        ({"status": "up"}, "server", "server_registered"),
        (report(status="ok"), "status", "health_status_known"),
        (report(status="unknown"), "status", "health_status_known"),
        (report(status=None), "status", "health_status_known"),
        ({"server": "acme/search"}, "status", "health_status_known"),
        (report(latency_ms=-1), "latency_ms", "latency_in_range"),
        (report(latency_ms="12"), "latency_ms", "latency_in_range"),
        (report(latency_ms=1e10), "latency_ms", "latency_in_range"),
        (report(detail=""), "detail", "detail_well_formed"),
        (report(detail="x" * 1001), "detail", "detail_well_formed"),
        (report(detail={}), "detail", "detail_well_formed"),
        (report(reporter="a\nb"), "reporter", "reporter_well_formed"),
        (report(reporter=1), "reporter", "reporter_well_formed"),
        (report(ts="today"), "ts", "ts_well_formed"),
        (report(ts=ago(minutes=-6)), "ts", "ts_not_in_future"),
        (report(ts=ago(days=31)), "ts", "ts_within_retention"),
        (report(ts=ago(days=200)), "ts", "ts_within_retention"),
        (report(state="up"), "state", "item_fields_known"),
        (7, "", "item_is_object"),
    ],
)
def test_a_bad_report_is_refused_by_index_and_field(
    db: Connection, item: object, field: str, slug: str
) -> None:
    add_server(db)
    with refused(db, "items_refused") as refusal:
        report_health(db, [report(), item])

    faults = [(each["index"], each["field"], each["slug"]) for each in refusal.params["items"]]
    assert faults == [(1, field, slug)]
    assert ask(db, "select count(*) from data.health_report") == 0


@pytest.mark.parametrize(
    "members",
    [
        {"latency_ms": 0},
        {"latency_ms": 1e9},
        {"latency_ms": None},
        {"detail": "x"},
        {"detail": "x" * 1000},
        {"detail": None},
        {"reporter": None},
        {"ts": ago(minutes=-5)},
        {"ts": ago(hours=2)},
        {"ts": ago(days=30)},
    ],
)
def test_what_reaches_a_limit_is_good(db: Connection, members: Json) -> None:
    add_server(db, registered=NOW - timedelta(days=31))
    add_server(db, "acme/other")

    assert report_health(db, report(**members)) == receipt(1)
    with refused(db, "items_refused") as refusal:
        report_health(db, report(**{**members, "status": "ok"}))
    assert [each["slug"] for each in refusal.params["items"]] == ["health_status_known"]


def test_a_refusal_has_the_beginning_of_a_long_name(db: Connection) -> None:
    with refused(db, "items_refused") as refusal:
        report_health(db, report(server="a" * 201))

    (fault,) = refusal.params["items"]
    assert fault["detail"].startswith(f'No server "{"a" * 200}" is registered. ')
    assert report_health(db, report(server="a" * 201), partial=True)["accepted"] == 0


def test_a_refusal_quotes_the_status_and_names_the_nearest_server(db: Connection) -> None:
    add_server(db)
    with refused(db, "items_refused") as refusal:
        report_health(db, [report(server="acme/serach", status="ok")])

    server, status = (each["detail"] for each in refusal.params["items"])
    assert server.startswith('No server "acme/serach" is registered. ')
    assert server.endswith(' Did you mean "acme/search"?')
    assert status == 'The status is the string "ok". Send up, degraded or down.'


def test_partial_stores_the_good_reports(db: Connection) -> None:
    add_server(db)
    answer = report_health(db, [report(), report(status="ok"), report(status="down")], partial=True)

    assert (answer["accepted"], answer["duplicate"]) == (2, 0)
    assert [each["index"] for each in answer["rejected"]] == [1]


def test_a_deregistered_server_takes_no_reports(db: Connection) -> None:
    add_server(db, deregistered=NOW - timedelta(hours=1))
    with refused(db, "items_refused") as refusal:
        report_health(db, report())

    assert [each["slug"] for each in refusal.params["items"]] == ["server_registered"]


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # SQL never sees U+0000.
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just("a"), inner, max_size=1),
    max_leaves=4,
)
FIELDS = ("server", "status", "ts", "latency_ms", "detail", "reporter", "x")


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(items=st.lists(ANYTHING | st.tuples(st.sampled_from(FIELDS), ANYTHING), max_size=6))
def test_any_json_is_stored_or_refused_by_its_index(db: Connection, items: list[Any]) -> None:
    with db.transaction(force_rollback=True):
        add_server(db)
        sent = [report(**{each[0]: each[1]}) if isinstance(each, tuple) else each for each in items]
        answer = report_health(db, sent, partial=True)
        refused_items = {each["index"] for each in answer["rejected"]}
        stored = answer["accepted"] + answer["duplicate"]
        assert stored + len(refused_items) == len(items)


@pytest.mark.native_only("many sessions at once")
def test_batches_about_the_same_servers_neither_deadlock_nor_lose_a_report(
    fresh_database: str,
) -> None:
    names = [f"acme/s{n}" for n in range(20)]
    with psycopg.connect(fresh_database) as conn:
        for name in names:
            add_server(conn, name, failures=1, successes=1)

    def send(conn: Connection, number: int) -> Json:
        counts = {"accepted": 0, "duplicate": 0}
        for turn in range(5):
            own = names if (number + turn) % 2 else names[::-1]
            # The first report of each is the same for all sessions.
            items = [report(name, ts=ago(minutes=50), reporter="all") for name in own] + [
                report(name, status, ts=ago(seconds=600 - 8 * turn - number), reporter=str(number))
                for name in own
                for status in ("down", "up")
            ]
            answer = report_health(conn, items)
            counts = {key: counts[key] + answer[key] for key in counts}
        return counts

    answers = at_once(fresh_database, send)
    assert sum(answer["accepted"] for answer in answers) == 20 + 20 * 2 * 5 * SESSIONS
    assert sum(answer["duplicate"] for answer in answers) == 20 * (5 * SESSIONS - 1)
    with psycopg.connect(fresh_database) as conn:
        assert ask(conn, "select count(*) from data.health_report") == 20 + 20 * 2 * 5 * SESSIONS
