"""Keep-alives and reports that were sent before a registration ended, and are stored after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from typing import TypeVar

import psycopg
import pytest
from psycopg import Connection

from tests.sql.calls import as_body, ask
from tests.sql.registry import NAME, deregister, register, server_json
from tests.sql.reports import at, history
from tests.sql.test_heartbeat import heartbeat
from tests.support.waiting import eventually

pytestmark = pytest.mark.native_only("many sessions at once")

T = TypeVar("T")
OTHER = "io.github.acme/other"
SPARE = "io.github.acme/spare"


class Sessions:
    """Sessions of one database; calls of one can wait for another."""

    def __init__(self, url: str, stack: ExitStack) -> None:
        self._pool = stack.enter_context(ThreadPoolExecutor(2))
        # `watch` looks on; the transaction of `first` stays open until the test commits it.
        self.first, self.second, self.third, self.watch = (
            stack.enter_context(
                psycopg.connect(
                    url,
                    autocommit=autocommit,
                    prepare_threshold=None,
                    options="-c lock_timeout=10s",
                )
            )
            for autocommit in (False, True, True, True)
        )

    def start(self, conn: Connection, call: Callable[[Connection], T]) -> Future[T]:
        """Call until it waits for another session or is answered."""
        answer = self._pool.submit(call, conn)
        blocked = "select cardinality(pg_blocking_pids(%s)) > 0"
        pid = conn.info.backend_pid
        eventually(lambda: answer.done() or ask(self.watch, blocked, pid), "blocked")
        return answer


@pytest.fixture
def sessions(fresh_database: str) -> Iterator[Sessions]:
    with ExitStack() as stack:
        opened = Sessions(fresh_database, stack)
        for name in (OTHER, NAME, SPARE):
            register(opened.watch, server_json(), name, now=at(0))
        yield opened


def report(conn: Connection, names: list[str], ts: datetime) -> None:
    items = [{"server": name, "status": "up", "ts": ts.isoformat()} for name in names]
    ask(conn, "select api.report_health(%s, false, null, %s)", as_body(items), ts)


def times_up(sessions: Sessions, signal: str) -> list[tuple[str, float, float]]:
    server = ask(sessions.watch, "select server_id from data.server where name = %s", NAME)
    return history(sessions.watch, server, signal, now=at(70))


def test_a_keep_alive_begins_nothing_when_the_registration_ends_before_it_is_stored(
    sessions: Sessions,
) -> None:
    heartbeat(sessions.watch, [NAME], at(1))
    deregister(sessions.first, now=at(20))
    late = sessions.start(sessions.second, lambda conn: heartbeat(conn, [NAME], at(10)))
    sessions.first.commit()
    late.result()

    register(sessions.watch, server_json(), now=at(50))
    heartbeat(sessions.watch, [NAME], at(60))
    assert times_up(sessions, "keepalive") == [("up", 1, 20), ("up", 60, 70)]


def test_a_keep_alive_counts_from_the_next_registration_when_that_began_before_it_is_stored(
    sessions: Sessions,
) -> None:
    heartbeat(sessions.watch, [NAME], at(1))
    deregister(sessions.first, now=at(20))
    register(sessions.first, server_json(), now=at(50))
    late = sessions.start(sessions.second, lambda conn: heartbeat(conn, [NAME], at(10)))
    sessions.first.commit()
    late.result()

    assert times_up(sessions, "keepalive") == [("up", 1, 20), ("up", 50, 70)]


def test_a_keep_alive_that_waits_for_another_server_begins_nothing_of_an_ended_registration(
    sessions: Sessions,
) -> None:
    heartbeat(sessions.watch, [OTHER], at(1))
    heartbeat(sessions.first, [OTHER], at(2))
    late = sessions.start(sessions.second, lambda conn: heartbeat(conn, [OTHER, NAME], at(10)))
    heartbeat(sessions.third, [NAME], at(5))
    deregister(sessions.third, now=at(20))
    sessions.first.commit()
    late.result()

    register(sessions.watch, server_json(), now=at(50))
    assert times_up(sessions, "keepalive") == [("up", 5, 20)]


def test_a_report_that_waits_for_another_server_moves_nothing_of_an_ended_registration(
    sessions: Sessions,
) -> None:
    # The first report makes a chunk, which others wait for.
    report(sessions.watch, [SPARE], at(1))
    report(sessions.first, [OTHER], at(2))
    late = sessions.start(sessions.second, lambda conn: report(conn, [OTHER, NAME], at(10)))
    report(sessions.third, [NAME], at(5))
    end = sessions.start(sessions.third, lambda conn: deregister(conn, now=at(20)))
    sessions.first.commit()
    late.result()
    end.result()

    register(sessions.watch, server_json(), now=at(50))
    assert times_up(sessions, "report") == [("up", 5, 20)]
