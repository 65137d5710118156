from __future__ import annotations

import random
import select
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg import pq

from supervisor_mcp.embedded import database
from tests.embedded.conftest import connect
from tests.embedded.raw import SYNC, Connection, cancelled, extended, message, query
from tests.support.waiting import eventually

FLUSH = message(b"H", b"")


def test_sixteen_connections_with_interleaved_transactions_never_mix(url: str) -> None:
    with connect(url) as setup:
        setup.execute("create table mixed (who int, step int)")
    together = threading.Barrier(16)

    def work(who: int) -> None:
        choice = random.Random(who)
        with psycopg.connect(url, prepare_threshold=None) as connection:
            together.wait()
            for step in range(12):
                connection.execute("insert into mixed values (%s, %s)", (who, step))
                seen = connection.execute(
                    "select count(*), count(distinct pg_current_xact_id()) from mixed "
                    "where who = %s",
                    (who,),
                ).fetchone()
                assert seen == (kept[who] + 1, 1)
                if choice.random() < 0.3:
                    connection.rollback()
                else:
                    connection.commit()
                    kept[who] += 1

    kept = dict.fromkeys(range(16), 0)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    with connect(url) as check:
        counted = check.execute("select who, count(*) from mixed group by who").fetchall()
    assert dict(counted) == kept


def test_uncommitted_rows_are_not_seen_by_the_next_client(url: str) -> None:
    with connect(url) as setup:
        setup.execute("create table unseen (i int)")
    first = psycopg.connect(url)
    first.execute("insert into unseen values (1)")
    with ThreadPoolExecutor(1) as pool, connect(url) as second:
        count = pool.submit(lambda: second.execute("select count(*) from unseen").fetchone())
        first.rollback()
        assert count.result(10) == (0,)
    first.close()


def begun(connection: Connection) -> None:
    connection.socket.sendall(query("begin; insert into dropped values (1)"))
    connection.until_ready()


def pipelined(connection: Connection) -> None:
    connection.socket.sendall(extended("insert into dropped values (1)") + FLUSH)
    while connection.receive()[0] != b"C":
        pass


def failed(connection: Connection) -> None:
    connection.socket.sendall(query("begin; insert into dropped values (1); select 1/0"))
    connection.until_ready()


def skipping(connection: Connection) -> None:
    connection.socket.sendall(extended("insert into dropped values (1)") + FLUSH)
    while connection.receive()[0] != b"C":
        pass
    connection.socket.sendall(extended("select 1/0") + FLUSH)
    while connection.receive()[0] != b"E":
        pass


@pytest.mark.parametrize("leave_open", [begun, pipelined, failed, skipping])
def test_a_client_that_disconnects_inside_a_transaction_rolls_back_and_frees_the_others(
    url: str, leave_open: Callable[[Connection], None]
) -> None:
    with connect(url) as other:
        other.execute("create table if not exists dropped (i int)")
        with Connection(url) as connection:
            leave_open(connection.begin())
        assert other.execute("select count(*) from dropped").fetchone() == (0,)


def test_a_disconnect_ends_the_statement_that_runs(url: str) -> None:
    connection = Connection(url).begin()
    connection.socket.sendall(query("select count(*) from generate_series(1, 500000000)"))
    connection.socket.close()
    with connect(url, options="-c statement_timeout=0") as other:
        assert other.execute("select 1").fetchone() == (1,)


def answer(waiting: psycopg.Connection) -> list[str | None]:
    """The SQLSTATE of each result."""
    states = []
    while (result := waiting.pgconn.get_result()) is not None:
        state = result.error_field(pq.DiagnosticField.SQLSTATE)
        states.append(state.decode() if state else None)
    return states


@pytest.mark.parametrize("send", ["send_query", "send_query_params"])
def test_a_cancel_request_ends_a_statement_that_waits_for_its_turn(url: str, send: str) -> None:
    with connect(url) as waiting, psycopg.connect(url) as holder:
        holder.execute("select 1")
        arguments = (b"select 1",) if send == "send_query" else (b"select 1", None)
        getattr(waiting.pgconn, send)(*arguments)
        eventually(lambda: cancelled(waiting.pgconn.socket, waiting.cancel_safe))
        assert answer(waiting) == ["57014"]
        waiting.pgconn.send_query(b"select 1")
        holder.rollback()
        assert answer(waiting) == [None]


def test_after_the_cancelled_part_of_a_pipeline_the_rest_is_skipped(url: str) -> None:
    with connect(url) as other, Connection(url).begin() as waiting, psycopg.connect(url) as holder:
        other.execute("create table if not exists skipped (i int)")
        holder.execute("select 1")
        waiting.socket.sendall(extended("insert into skipped values (1)") + FLUSH)

        def cancel() -> None:
            with Connection(url) as cancelling:
                cancelling.cancel(*waiting.key)

        eventually(lambda: cancelled(waiting.socket.fileno(), cancel))
        assert waiting.receive()[0] == b"E"
        waiting.socket.sendall(extended("insert into skipped values (2)") + SYNC)
        assert waiting.receive() == (b"Z", b"I")
        holder.rollback()
        assert other.execute("select count(*) from skipped").fetchone() == (0,)
        waiting.socket.sendall(query("select 1"))
        assert [kind for kind, _ in waiting.until_ready()] == [b"T", b"D", b"C", b"Z"]


@pytest.mark.parametrize("wrong", ["pid", "secret"])
def test_a_cancel_request_with_half_of_the_key_is_ignored(url: str, wrong: str) -> None:
    with Connection(url).begin() as waiting, psycopg.connect(url) as holder:
        holder.execute("select 1")
        waiting.socket.sendall(query("select 1"))
        pid, secret = waiting.key
        for _ in range(5):
            with Connection(url) as cancelling:
                cancelling.cancel(pid ^ (wrong == "pid"), secret ^ (wrong == "secret"))
        holder.rollback()
        assert [kind for kind, _ in waiting.until_ready()] == [b"T", b"D", b"C", b"Z"]


def test_a_client_that_runs_nothing_ends_no_statement_of_another(url: str) -> None:
    with connect(url) as busy, ThreadPoolExecutor(1) as pool:
        counted = pool.submit(busy.execute, "select count(*) from generate_series(1, 2000000)")
        while not counted.done():
            with Connection(url).begin() as idle, Connection(url) as cancelling:
                cancelling.cancel(*idle.key)
        assert counted.result().fetchone() == (2_000_000,)


def test_a_cancel_request_that_comes_late_hits_nobody_else(url: str) -> None:
    done = threading.Event()

    def cancel(key: tuple[int, int]) -> None:
        while not done.is_set():
            with Connection(url) as cancelling:
                cancelling.cancel(*key)

    def be_cancelled(client: Connection) -> None:
        while not done.is_set():
            client.socket.sendall(query("select count(*) from generate_series(1, 1000)"))
            client.until_ready()

    with Connection(url).begin() as target, connect(url) as other, ThreadPoolExecutor(2) as pool:
        work = [pool.submit(cancel, target.key), pool.submit(be_cancelled, target)]
        try:
            for _ in range(30):
                counted = other.execute("select count(*) from generate_series(1, 30000)")
                assert counted.fetchone() == (30_000,)
        finally:
            done.set()
        for each in work:
            each.result(10)


IDLE_SECONDS = 0.5


@pytest.fixture(scope="module")
def impatient(
    template: Path, tmp_path_factory: pytest.TempPathFactory, cache_dir: Path
) -> Iterator[database.Database]:
    directory = tmp_path_factory.mktemp("impatient") / "data"
    database.clone(template, directory)
    with database.start(
        directory, cache_dir=cache_dir, jobs=False, idle_in_transaction_seconds=IDLE_SECONDS
    ) as server:
        yield server


def test_a_transaction_idle_for_longer_than_the_limit_is_ended_with_25p03(
    impatient: database.Database,
) -> None:
    with connect(impatient.url) as other:
        other.execute("create table kept (i int)")
        idle = psycopg.connect(impatient.url)
        idle.execute("insert into kept values (1)")
        began = time.monotonic()
        assert other.execute("select count(*) from kept").fetchone() == (0,)
        assert IDLE_SECONDS / 2 < time.monotonic() - began < 10 * IDLE_SECONDS
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            idle.execute("select 1")


def test_half_a_message_inside_a_transaction_does_not_count_as_activity(
    impatient: database.Database,
) -> None:
    with connect(impatient.url) as other, Connection(impatient.url).begin() as half:
        half.socket.sendall(query("begin"))
        half.until_ready()
        half.socket.sendall(query("select 1")[:7])
        assert other.execute("select 1").fetchone() == (1,)
        assert b"C25P03\0" in half.rest()


def test_a_pipeline_longer_than_the_limit_is_not_idle(impatient: database.Database) -> None:
    with Connection(impatient.url).begin() as busy:
        for _ in range(8):
            busy.socket.sendall(extended("select pg_sleep(0.1)") + FLUSH)
            while busy.receive()[0] != b"C":
                pass
        busy.socket.sendall(b"S\0\0\0\4")
        assert busy.receive() == (b"Z", b"I")


def test_parts_of_a_pipeline_count_as_activity(impatient: database.Database) -> None:
    with Connection(impatient.url).begin() as busy:
        busy.socket.sendall(query("begin"))
        busy.until_ready()
        for _ in range(8):
            busy.socket.sendall(extended("select 1"))
            assert not answers(busy, 0.1)
        busy.socket.sendall(SYNC)
        assert busy.until_ready()[-1] == (b"Z", b"T")


def answers(connection: Connection, seconds: float) -> bool:
    """Whether the server says something in this time."""
    return bool(select.select([connection.socket], [], [], seconds)[0])


def test_data_that_no_copy_asked_for_does_not_count_as_activity(
    impatient: database.Database,
) -> None:
    with Connection(impatient.url).begin() as stray:
        stray.socket.sendall(query("begin"))
        stray.until_ready()
        for _ in range(50):
            stray.socket.sendall(message(b"d", b"x"))
            if answers(stray, 0.1):
                break
        else:
            pytest.fail("what nobody asked for keeps a transaction open")
        assert b"C25P03\0" in stray.rest()


def test_a_copy_that_waits_for_its_data_is_idle(impatient: database.Database) -> None:
    with Connection(impatient.url).begin() as waiting:
        waiting.socket.sendall(
            query("create temp table t_idle (i int) on commit drop; copy t_idle from stdin")
        )
        while waiting.receive()[0] != b"G":
            pass
        assert b"C25P03\0" in waiting.rest()


def test_a_client_may_be_idle_between_transactions(impatient: database.Database) -> None:
    with Connection(impatient.url).begin() as idle:
        idle.socket.sendall(query("begin; select 1; commit"))
        idle.until_ready()
        assert not answers(idle, 2 * IDLE_SECONDS)
