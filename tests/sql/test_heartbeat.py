"""Keep-alives."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import psycopg
import pytest
from psycopg import Connection

from tests.sql.calls import Json, ask, refused
from tests.sql.reports import add_server, at, history, record
from tests.sql.test_concurrency import at_once


def heartbeat(conn: Connection, names: Sequence[str | None], now: datetime) -> Json:
    answer: Json = ask(conn, "select api.heartbeat(%s, %s)", list(names), now)
    return answer


def test_a_server_whose_keep_alives_arrive_is_up(db: Connection) -> None:
    server = add_server(db, keepalive=10)
    for seconds in (0, 10, 30):
        assert heartbeat(db, ["acme/search"], at(seconds)) == {"renewed": 1, "unknown": []}

    assert history(db, server, "keepalive", now=at(40)) == [("up", 0, 40)]


def test_a_server_whose_keep_alives_stop_is_unknown_and_never_down(db: Connection) -> None:
    server = add_server(db, keepalive=10)
    heartbeat(db, ["acme/search"], at(0))
    heartbeat(db, ["acme/search"], at(100))

    assert history(db, server, "keepalive", now=at(110)) == [("up", 0, 30), ("up", 100, 110)]


def test_a_keep_alive_at_the_moment_of_the_end_continues(db: Connection) -> None:
    server = add_server(db, keepalive=10)
    heartbeat(db, ["acme/search"], at(0))
    heartbeat(db, ["acme/search"], at(30))

    assert history(db, server, "keepalive", now=at(40)) == [("up", 0, 40)]


def test_an_older_keep_alive_takes_nothing_back(db: Connection) -> None:
    server = add_server(db, keepalive=10)
    heartbeat(db, ["acme/search"], at(20))
    heartbeat(db, ["acme/search"], at(0))

    assert history(db, server, "keepalive", now=at(100)) == [("up", 20, 50)]


def test_a_keep_alive_from_before_an_expiry_that_was_noted_moves_nothing(db: Connection) -> None:
    server = add_server(db, keepalive=10)
    heartbeat(db, ["acme/search"], at(20))
    db.execute("select internal.expire_states(%s)", [at(60)])
    heartbeat(db, ["acme/search"], at(49))
    heartbeat(db, ["acme/search"], at(70))

    assert history(db, server, "keepalive", now=at(80)) == [("up", 20, 50), ("up", 70, 80)]


def test_a_keep_alive_of_the_moment_of_an_expiry_that_was_noted_counts(db: Connection) -> None:
    server = add_server(db, keepalive=10)
    heartbeat(db, ["acme/search"], at(20))
    db.execute("select internal.expire_states(%s)", [at(60)])
    heartbeat(db, ["acme/search"], at(50))

    assert history(db, server, "keepalive", now=at(70)) == [("up", 20, 50), ("up", 50, 70)]


def test_a_keep_alive_moves_nothing_else(db: Connection) -> None:
    servers = [add_server(db, name) for name in ("a", "b")]
    heartbeat(db, ["a", "b"], at(0))
    record(db, servers[0], [(10, "degraded")])
    heartbeat(db, ["a"], at(500))

    found = {
        (number, signal): history(db, server, signal, now=at(600))
        for number, server in enumerate(servers)
        for signal in ("keepalive", "report")
    }
    assert found == {
        (0, "keepalive"): [("up", 0, 180), ("up", 500, 600)],
        (0, "report"): [("degraded", 10, 190)],
        (1, "keepalive"): [("up", 0, 180)],
        (1, "report"): [],
    }


def test_the_first_keep_alive_counts_from_the_registration_at_the_earliest(db: Connection) -> None:
    server = add_server(db, registered=at(10))
    heartbeat(db, ["acme/search"], at(5))

    assert history(db, server, "keepalive", now=at(20)) == [("up", 10, 20)]


def test_a_gateway_renews_many_and_learns_which_are_unknown(db: Connection) -> None:
    for name in ("a", "b", "c"):
        add_server(db, name)
    add_server(db, "gone", deregistered=at(-1))

    answer = heartbeat(db, ["b", "nobody", "a", "gone", "b", None], at(0))
    assert answer == {"renewed": 2, "unknown": ["gone", "nobody"]}
    assert ask(db, "select count(*) from data.health_state") == 2


def test_one_of_two_names_that_is_unknown_is_no_error(db: Connection) -> None:
    add_server(db, "a")

    assert heartbeat(db, ["a", "nobody"], at(0)) == {"renewed": 1, "unknown": ["nobody"]}


def test_a_single_unknown_name_is_an_error_with_the_nearest_one(db: Connection) -> None:
    add_server(db)
    with refused(db, "server_unknown") as refusal:
        heartbeat(db, ["acme/serach"], at(0))

    assert refusal.params == {"nearest": "acme/search"}


def test_a_deregistered_server_is_unknown(db: Connection) -> None:
    add_server(db, deregistered=at(-1))
    with refused(db, "server_unknown") as refusal:
        heartbeat(db, ["acme/search"], at(0))

    assert "register_server" in refusal.hint


def test_more_than_10000_names_are_refused(db: Connection) -> None:
    assert heartbeat(db, ["a"] * 10000, at(0)) == {"renewed": 0, "unknown": ["a"]}
    with refused(db, "batch_within_limit"):
        heartbeat(db, ["a"] * 10001, at(0))


def test_nobody_renewed_is_an_answer_too(db: Connection) -> None:
    assert heartbeat(db, [], at(0)) == {"renewed": 0, "unknown": []}


@pytest.mark.native_only("many sessions at once")
def test_calls_for_the_same_servers_in_other_orders_do_not_deadlock(fresh_database: str) -> None:
    names = [f"s{n}" for n in range(50)]
    with psycopg.connect(fresh_database) as conn:
        for name in names:
            add_server(conn, name, keepalive=1)

    def renew(conn: Connection, number: int) -> Json:
        for turn in range(20):
            own = names if number % 2 else names[::-1]
            answer = heartbeat(conn, own, at(turn * 4 + number / 10))
        return answer

    assert at_once(fresh_database, renew) == [{"renewed": 50, "unknown": []}] * 8


@pytest.mark.native_only("statistics of tables are not kept on the embedded server")
def test_a_keep_alive_changes_no_index(fresh_database: str) -> None:
    with psycopg.connect(fresh_database, autocommit=True) as conn:
        names = [f"s{n}" for n in range(20)]
        for name in names:
            add_server(conn, name)
        # A page has room for a second version of its rows; then the first ones are removed.
        for turn in range(2):
            heartbeat(conn, names, at(turn))
        conn.execute("select pg_stat_force_next_flush()")
        updated, hot = conn.execute(
            "select n_tup_upd, n_tup_hot_upd from pg_stat_all_tables"
            " where schemaname = 'data' and relname = 'health_state'"
        ).fetchone() or (0, 0)
    assert (updated, hot) == (20, 20)
