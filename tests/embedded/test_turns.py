"""How long one client can keep the others waiting."""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from supervisor_mcp.embedded import database
from tests.embedded.conftest import connect
from tests.embedded.raw import Connection, query, startup

PATIENCE_SECONDS = 0.5
SLOW = "select count(*) from generate_series(1, 500000000)"


@pytest.fixture(scope="module")
def server(
    template: Path, tmp_path_factory: pytest.TempPathFactory, cache_dir: Path
) -> Iterator[database.Database]:
    directory = tmp_path_factory.mktemp("impatient") / "data"
    database.clone(template, directory)
    with database.start(
        directory, cache_dir=cache_dir, jobs=False, patience_seconds=PATIENCE_SECONDS
    ) as server:
        with connect(server.url) as setup:
            setup.execute("create role reader login")
        yield server


@pytest.fixture
def analyst(server: database.Database) -> Iterator[psycopg.Connection]:
    with connect(server.url.replace("postgres@", "reader@")) as connection:
        yield connection


@pytest.fixture
def service(server: database.Database) -> Iterator[psycopg.Connection]:
    with connect(server.url) as connection:
        yield connection


def repeat(connection: psycopg.Connection, sql: str, until: threading.Event) -> None:
    while not until.is_set():
        connection.execute(sql)


def test_a_busy_transaction_of_an_analyst_ends_when_others_have_waited(
    analyst: psycopg.Connection, service: psycopg.Connection
) -> None:
    answered = threading.Event()
    said: list[str | None] = []
    # Between two statements, the client takes the reason for a notice, and finds an end later.
    analyst.add_notice_handler(lambda notice: said.append(notice.message_primary))
    analyst.execute("begin")
    began = time.monotonic()
    with ThreadPoolExecutor() as pool:
        busy = pool.submit(repeat, analyst, "select pg_sleep(0.05)", answered)
        assert service.execute("select 1").fetchone() == (1,)
        assert time.monotonic() - began > PATIENCE_SECONDS / 2
        answered.set()
        with pytest.raises(psycopg.Error) as ended:
            busy.result(10)
    reason = "terminating connection because its transaction keeps others waiting"
    assert reason in [ended.value.diag.message_primary, *said]


def test_a_long_statement_of_an_analyst_is_canceled_when_others_have_waited(
    analyst: psycopg.Connection, service: psycopg.Connection
) -> None:
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(analyst.execute, SLOW)
        while not slow.done():
            assert service.execute("select 1").fetchone() == (1,)
        with pytest.raises(psycopg.errors.QueryCanceled, match="keeps others waiting") as caught:
            slow.result()
    assert caught.value.diag.message_detail == "They have waited 0.5 s."
    assert "shorter window" in (caught.value.diag.message_hint or "")
    assert analyst.execute("select 1").fetchone() == (1,)


def test_a_statement_that_does_not_look_at_its_cancellation_ends_with_the_server(
    server: database.Database, service: psycopg.Connection
) -> None:
    service.execute("create table outlives (i int); insert into outlives values (1)")
    with Connection(server.url) as slow:
        slow.socket.sendall(startup(user="reader", database="postgres"))
        slow.until_ready()
        slow.socket.sendall(query("select pg_sleep(60)"))
        while not select.select([slow.socket], [], [], 0)[0]:
            assert service.execute("select * from outlives").fetchone() == (1,)
        assert b"C57P02\0" in slow.rest()


def test_an_analyst_is_not_limited_while_nobody_waits(analyst: psycopg.Connection) -> None:
    analyst.execute("begin")
    analyst.execute("select pg_sleep(1)")
    assert analyst.execute("commit").statusmessage == "COMMIT"


def test_the_transactions_of_superusers_are_not_limited(
    analyst: psycopg.Connection, service: psycopg.Connection
) -> None:
    service.execute("begin")
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(analyst.execute, "select 1")
        service.execute("select pg_sleep(1.5)")
        service.execute("commit")
        assert waiting.result(10).fetchone() == (1,)


def test_a_program_that_waits_for_itself_reads_so_in_the_error(
    template: Path, tmp_path: Path, cache_dir: Path
) -> None:
    database.clone(template, tmp_path / "data")
    with (
        database.start(
            tmp_path / "data", cache_dir=cache_dir, jobs=False, idle_in_transaction_seconds=0.5
        ) as server,
        connect(server.url) as one,
        connect(server.url) as other,
    ):
        one.execute("begin")
        other.execute("select 1")
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout) as caught:
            one.execute("select 1")
    assert "same program" in str(caught.value)
    assert "same thread" in str(caught.value)
