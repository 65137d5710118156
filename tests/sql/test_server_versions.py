"""Versions of servers in time: never two at once, and at any time the one registered then."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.sql.calls import NOW, ask, refused
from tests.sql.registry import (
    NAME,
    change_facts,
    deregister,
    get_server,
    register,
    server_json,
    tools,
)

MICROSECOND = timedelta(microseconds=1)
HOUR = timedelta(hours=1)


def spans(conn: Connection) -> list[tuple[str, datetime, datetime | None]]:
    """Versions with their times, the newest first."""
    return [
        (
            each["version"],
            datetime.fromisoformat(each["from"]),
            datetime.fromisoformat(each["to"]) if each["to"] else None,
        )
        for each in get_server(conn)["versions"]
    ]


def test_a_former_version_ends_where_the_next_one_begins(db: Connection) -> None:
    register(db, server_json("1"), now=NOW)
    register(db, server_json("2"), now=NOW + HOUR)
    assert spans(db) == [("2", NOW + HOUR, None), ("1", NOW, NOW + HOUR)]


def test_the_version_of_a_time_is_the_one_registered_then(db: Connection) -> None:
    register(db, server_json("1", capabilities=tools("a")), now=NOW)
    register(db, server_json("2", capabilities=tools("b")), now=NOW + HOUR)
    for as_of, version, tool in [
        (NOW, "1", "a"),
        (NOW + HOUR - MICROSECOND, "1", "a"),
        (NOW + HOUR, "2", "b"),
        (NOW + 1000 * HOUR, "2", "b"),
    ]:
        server = get_server(db, as_of=as_of, now=NOW + 1000 * HOUR)
        assert (server["version"], server["document"]["version"]) == (version, version)
        assert server["capabilities"]["tools"] == [{"name": tool}]


def test_the_newest_hundred_versions_are_listed(db: Connection) -> None:
    register(db, server_json("0"), now=NOW - 200 * HOUR)
    deregister(db, now=NOW - 199 * HOUR)
    db.execute(
        "insert into data.server_version (server_id, version, document, capabilities, valid)"
        " select server_id, n::text, document, capabilities,"
        " tstzrange(%(now)s + (n - 101) * %(hour)s, %(now)s + (n - 100) * %(hour)s)"
        " from data.server_version cross join generate_series(1, 100) as n",
        {"now": NOW, "hour": HOUR},
    )

    assert [version for version, _, _ in spans(db)] == [str(n) for n in range(100, 0, -1)]


def test_a_change_of_settings_by_a_clock_that_is_behind_moves_no_time_back(db: Connection) -> None:
    register(db, server_json("1"), now=NOW)
    answer = register(db, server_json("1", tier="gold"), now=NOW - HOUR)
    assert datetime.fromisoformat(answer["updated_at"]) == NOW
    answer = register(db, server_json("1", tier="silver"), now=NOW + HOUR)
    assert datetime.fromisoformat(answer["updated_at"]) == NOW + HOUR


def test_a_new_version_of_a_server_ends_none_of_another(db: Connection) -> None:
    for name in (NAME, "other"):
        register(db, server_json("1"), name)
    register(db, server_json("2"), now=NOW + HOUR)
    deregister(db, now=NOW + 2 * HOUR)

    assert get_server(db, "other")["version"] == "1"


def test_an_unknown_name_is_shown_in_part(db: Connection) -> None:
    with refused(db, "server_unknown") as refusal:
        get_server(db, "x" * 201)
    assert refusal.message == f'unknown server "{"x" * 200}"'


def test_while_it_was_deregistered_a_server_has_no_version(db: Connection) -> None:
    register(db, server_json("1"))
    deregister(db, now=NOW + MICROSECOND)
    server = get_server(db, as_of=NOW + MICROSECOND)
    assert (server["version"], server["document"], server["capabilities"]) == (None, None, None)


def test_which_version_will_run_is_not_known(db: Connection) -> None:
    register(db, server_json("1"))
    with refused(db, "as_of_not_in_future"):
        get_server(db, as_of=NOW + HOUR)


def test_which_version_ran_at_a_time_is_one_range_query_with_an_index(db: Connection) -> None:
    register(db, server_json("1"))
    db.execute("set local enable_seqscan = off")
    plan = db.execute(
        "explain select version from data.server_version where server_id = 1 and valid @> %s", [NOW]
    ).fetchall()
    assert any("server_version_once" in line for (line,) in plan)


@pytest.mark.parametrize("later", [timedelta(0), -HOUR, -MICROSECOND])
def test_a_change_at_the_same_instant_or_earlier_begins_after_the_one_before(
    db: Connection, later: timedelta
) -> None:
    register(db, server_json("1"), now=NOW)
    register(db, server_json("2"), now=NOW + later)
    after = NOW + MICROSECOND
    assert spans(db) == [("2", after, None), ("1", NOW, after)]
    assert get_server(db, now=NOW + later)["version"] == "2"
    assert len(change_facts(db)) == 1


def test_a_changed_document_of_the_same_version_is_kept_without_a_fact(db: Connection) -> None:
    register(db, server_json("1", title="A"), now=NOW)
    register(db, server_json("1", title="B"), now=NOW + HOUR)
    assert [version for version, _, _ in spans(db)] == ["1", "1"]
    assert get_server(db, as_of=NOW)["document"]["title"] == "A"
    assert change_facts(db) == []


def test_a_change_of_settings_is_no_new_version(db: Connection) -> None:
    register(db, server_json("1"), now=NOW)
    answer = register(db, server_json("1", tier="gold"), now=NOW + HOUR)
    assert answer["outcome"] == "changed"
    assert len(spans(db)) == 1


def test_a_server_that_is_deregistered_keeps_its_history_and_has_no_version(
    db: Connection,
) -> None:
    register(db, server_json("1"), now=NOW)
    answer = deregister(db, now=NOW + HOUR)
    assert answer["name"] == NAME
    assert datetime.fromisoformat(answer["deregistered_at"]) == NOW + HOUR
    server = get_server(db, now=NOW + HOUR)
    assert (server["version"], server["deregistered_at"]) == (None, answer["deregistered_at"])
    assert get_server(db, as_of=NOW)["version"] == "1"
    assert spans(db) == [("1", NOW, NOW + HOUR)]


def test_deregistering_again_gives_the_same_answer(db: Connection) -> None:
    register(db, server_json("1"))
    first = deregister(db, now=NOW + HOUR)
    assert deregister(db, now=NOW + 2 * HOUR) == first


def test_registering_again_revives_the_same_server(db: Connection) -> None:
    register(db, server_json("1", tier="gold", capabilities=tools("a")), now=NOW)
    number = ask(db, "select server_id from data.server")
    deregister(db, now=NOW + HOUR)
    answer = register(db, server_json("2"), now=NOW + 2 * HOUR)
    assert answer["previous_version"] == "1"
    assert datetime.fromisoformat(answer["registered_at"]) == NOW
    server = get_server(db)
    assert (server["deregistered_at"], server["tier"]) == (None, "gold")
    assert server["capabilities"]["tools"] == [{"name": "a"}]
    assert ask(db, "select server_id from data.server") == number
    assert spans(db) == [("2", NOW + 2 * HOUR, None), ("1", NOW, NOW + HOUR)]
    assert get_server(db, as_of=NOW + HOUR, now=NOW + HOUR)["version"] is None


@pytest.mark.parametrize("name", ["io.github.acme/serach", "nothing-like-it"])
def test_an_unknown_server_is_answered_with_the_nearest_name(db: Connection, name: str) -> None:
    register(db, server_json())
    for call in (get_server, deregister):
        with refused(db, "server_unknown") as refusal:
            call(db, name)
        nearest = {"nearest": NAME} if name.endswith("serach") else {}
        assert refusal.params == nearest
        assert "list_servers (GET /registry/servers)" in refusal.hint


def test_analysts_find_the_version_of_a_time_by_its_range(db: Connection) -> None:
    register(db, server_json("1", source="shop", capabilities=tools("a", "b")), now=NOW)
    register(db, server_json("2", title="Search"), now=NOW + HOUR)
    statement = "select version, tools from analytics.server_versions where valid @> %s"
    assert db.execute(statement, [NOW]).fetchall() == [("1", 2)]
    assert db.execute(statement, [NOW + HOUR]).fetchall() == [("2", 2)]
    assert db.execute(
        "select name, title, version, version_since, source, tools from analytics.mcp_registry"
    ).fetchall() == [(NAME, "Search", "2", NOW + HOUR, "shop", 2)]


# What is done, seconds after the one before (the clock may go back), and with which version.
Step = tuple[str, float, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["register", "register", "register", "deregister"]),
        st.sampled_from([0, 1e-6, 1, 60, 3600, -1, -7200]),
        st.integers(1, 3),
    ),
    min_size=1,
    max_size=12,
)


def replay(steps: list[Step]) -> list[tuple[datetime, str | None]]:
    """When each version began, None for no version: what a reader of the steps would note."""
    noted: list[tuple[datetime, str | None]] = []
    now = NOW
    for action, seconds, number in steps:
        now += timedelta(seconds=seconds)
        wanted = str(number) if action == "register" else None
        if (noted[-1][1] if noted else None) == wanted:
            continue
        if noted:
            # A version has a length, and so has the time between two registrations.
            begin, _ = noted[-1]
            noted.append((max(now, begin + MICROSECOND), wanted))
        else:
            noted.append((now, wanted))
    return noted


@settings(max_examples=30, deadline=None)
@given(steps=STEPS, asked=st.lists(st.sampled_from([-1, 0, 1e-6, 1, 59, 3599]), max_size=3))
def test_versions_never_overlap_and_equal_a_replay(
    database_url: str, steps: list[Step], asked: list[float]
) -> None:
    with psycopg.connect(database_url, prepare_threshold=None) as conn:
        done: list[tuple[str, float, int]] = []
        now = NOW
        for action, seconds, number in steps:
            now += timedelta(seconds=seconds)
            if action == "register":
                register(conn, server_json(str(number)), now=now)
            elif done:
                deregister(conn, now=now)
            else:
                # A server that was never registered cannot be deregistered.
                continue
            done.append((action, (now - NOW).total_seconds(), number))
        noted = replay(relative(done))
        expected = [
            (version, begin, noted[place + 1][0] if place + 1 < len(noted) else None)
            for place, (begin, version) in enumerate(noted)
            if version is not None
        ]
        if done:
            assert spans(conn) == expected[::-1]
            for begin, _ in noted:
                for seconds in asked:
                    at = max(begin + timedelta(seconds=seconds), noted[0][0])
                    assert get_server(conn, as_of=at, now=at)["version"] == version_at(noted, at)
        conn.rollback()


def relative(done: list[tuple[str, float, int]]) -> list[Step]:
    """Steps with the seconds since the one before."""
    before = 0.0
    steps: list[Any] = []
    for action, seconds, number in done:
        steps.append((action, seconds - before, number))
        before = seconds
    return steps


def version_at(noted: list[tuple[datetime, str | None]], at: datetime) -> str | None:
    """The version that was noted last at a time."""
    version = None
    for begin, noted_version in noted:
        if begin <= at:
            version = noted_version
    return version
