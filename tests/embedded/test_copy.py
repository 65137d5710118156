from __future__ import annotations

import csv
import io
import shutil
import subprocess
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import pq

from supervisor_mcp.embedded import database
from tests.embedded.conftest import connect
from tests.embedded.raw import SYNC, Connection, extended, message, query

PSQL = shutil.which("psql")
PG_DUMP = shutil.which("pg_dump")
ROWS = [(1, "a\tb", None), (2, "back\\slash\nline", "é"), (3, "", "null")]

values = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
rows = st.lists(
    st.tuples(st.integers(-(2**31), 2**31 - 1), values | st.none(), st.binary(max_size=40)),
    max_size=30,
)


@pytest.fixture
def copied(client: psycopg.Connection) -> psycopg.Connection:
    """A connection, and an empty table `copied`."""
    client.execute("drop table if exists copied")
    client.execute("create table copied (i int, s text, t text)")
    return client


def stored(client: psycopg.Connection) -> list[tuple[Any, ...]]:
    return client.execute("select * from copied order by i").fetchall()


def copy(client: psycopg.Connection, statement: str, pieces: Iterable[str]) -> None:
    with client.cursor().copy(statement) as into:
        for piece in pieces:
            into.write(piece)


@given(sent=rows)
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@pytest.mark.parametrize("form", ["text", "binary"])
def test_rows_come_back_as_they_were_copied(
    client: psycopg.Connection, form: str, sent: list[tuple[int, str | None, bytes]]
) -> None:
    client.execute("drop table if exists round_trip")
    client.execute("create table round_trip (n serial, i int, s text, b bytea)")
    with client.cursor().copy(f"copy round_trip (i, s, b) from stdin (format {form})") as into:
        into.set_types(["int4", "text", "bytea"])
        for row in sent:
            into.write_row(row)
    back = client.execute("select i, s, b from round_trip order by n").fetchall()
    assert back == sent


@given(sent=st.lists(st.tuples(values, values), max_size=20))
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_csv_comes_back_as_it_was_copied(
    client: psycopg.Connection, sent: list[tuple[str, str]]
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, delimiter=";").writerows([("s", "t"), *sent])
    client.execute("drop table if exists round_trip")
    client.execute("create table round_trip (n serial, s text, t text)")
    copy(
        client,
        "copy round_trip (s, t) from stdin with (format csv, header, delimiter ';')",
        [text.getvalue()],
    )
    back = client.execute("select s, t from round_trip order by n").fetchall()
    assert back == sent


def test_a_copy_reaches_a_hypertable(client: psycopg.Connection) -> None:
    client.execute("create table copied_hyper (ts timestamptz not null, v int)")
    client.execute("select create_hypertable('copied_hyper', 'ts')")
    copy(client, "copy copied_hyper from stdin", ["2026-01-01\t1\n", "2026-06-01\t2\n"])
    assert client.execute("select sum(v), count(*) from copied_hyper").fetchone() == (3, 2)
    chunks = client.execute("select count(*) from show_chunks('copied_hyper')").fetchone()
    assert chunks == (2,)


def test_a_copy_larger_than_any_buffer_arrives_whole(copied: psycopg.Connection) -> None:
    line = f"{'x' * 1_000}\n"
    copy(copied, "copy copied (s) from stdin", [line * 1_000] * 80)
    found = copied.execute("select count(*), sum(length(s)) from copied").fetchone()
    assert found == (80_000, 80_000_000)


def test_a_copy_is_part_of_its_transaction(copied: psycopg.Connection) -> None:
    with copied.transaction() as block:
        copy(copied, "copy copied (i) from stdin", ["1\n"])
        assert len(stored(copied)) == 1
        raise psycopg.Rollback(block)
    assert stored(copied) == []


def test_an_error_in_the_data_names_the_line_and_undoes_the_copy(
    copied: psycopg.Connection,
) -> None:
    with pytest.raises(psycopg.errors.InvalidTextRepresentation) as caught:
        copy(copied, "copy copied (i) from stdin", ["1\n2\n", *["three\n"] * 50_000])
    assert "line 3" in str(caught.value.diag.context)
    assert copied.info.transaction_status == pq.TransactionStatus.IDLE
    assert stored(copied) == []


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("copy nowhere from stdin", psycopg.errors.UndefinedTable),
        ("copy copied (z) from stdin", psycopg.errors.UndefinedColumn),
        ("copy copied from stdin (format xml)", psycopg.errors.InvalidParameterValue),
    ],
)
def test_a_copy_that_cannot_begin_fails_as_on_a_native_server(
    copied: psycopg.Connection, statement: str, error: type[psycopg.Error]
) -> None:
    with pytest.raises(error):
        copy(copied, statement, ["1\n"])
    copy(copied, "copy copied (i) from stdin", ["1\n"])
    assert len(stored(copied)) == 1


def test_a_role_without_the_privilege_copies_nothing(url: str, copied: psycopg.Connection) -> None:
    copied.execute("drop role if exists no_copier")
    copied.execute("create role no_copier login")
    with (
        connect(url.replace("postgres@", "no_copier@")) as other,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        copy(other, "copy copied (i) from stdin", ["1\n"])
    assert stored(copied) == []


def test_a_copy_that_the_client_gives_up_stores_nothing(copied: psycopg.Connection) -> None:
    def given_up() -> Iterator[str]:
        yield "1\n"
        raise KeyError

    with pytest.raises(KeyError):
        copy(copied, "copy copied (i) from stdin", given_up())
    assert stored(copied) == []


def test_statements_around_a_copy_in_one_query_run_in_order(url: str) -> None:
    with Connection(url).begin() as raw:
        raw.socket.sendall(
            query(
                "create temp table around (i int) on commit drop; copy around from stdin; "
                "copy around from stdin; select sum(i) from around"
            )
        )
        for part in (b"1\n2\n", b"3\n"):
            while raw.receive()[0] != b"G":
                pass
            raw.socket.sendall(message(b"d", part) + message(b"c", b""))
        assert (b"D", b"\0\1\0\0\0\x016") in raw.until_ready()


def test_a_copy_of_the_extended_protocol_may_wait_for_its_answer_or_not(
    url: str, copied: psycopg.Connection
) -> None:
    data = message(b"d", b"1\n") + message(b"c", b"")
    with Connection(url).begin() as raw:
        raw.socket.sendall(extended("copy copied (i) from stdin") + SYNC)
        while raw.receive()[0] != b"G":
            pass
        raw.socket.sendall(data + SYNC)
        assert [kind for kind, _ in raw.until_ready()] == [b"C", b"Z"]
        raw.socket.sendall(extended("copy copied (i) from stdin") + data + SYNC)
        assert [kind for kind, _ in raw.until_ready()][-2:] == [b"C", b"Z"]
    assert len(stored(copied)) == 2


def test_another_message_instead_of_the_data_fails_the_copy_only(
    url: str, copied: psycopg.Connection
) -> None:
    with Connection(url).begin() as raw:
        raw.socket.sendall(query("copy copied from stdin") + query("select 1"))
        assert [kind for kind, _ in raw.until_ready()] == [b"G", b"E", b"Z"]
        assert b"D" in [kind for kind, _ in raw.until_ready()]
        raw.socket.sendall(extended("copy copied from stdin") + extended("select 1") + SYNC)
        assert [kind for kind, _ in raw.until_ready()][-2:] == [b"E", b"Z"]
    assert stored(copied) == []


def test_data_without_a_copy_is_skipped(url: str) -> None:
    stray = message(b"d", b"1\n") + message(b"c", b"") + message(b"f", b"x\0")
    with Connection(url).begin() as raw:
        raw.socket.sendall(stray + query("select 1") + stray + query("select 1"))
        for _ in range(2):
            assert [kind for kind, _ in raw.until_ready()] == [b"T", b"D", b"C", b"Z"]


def test_a_client_that_leaves_during_its_copy_delays_no_other_client(
    url: str, copied: psycopg.Connection
) -> None:
    with Connection(url).begin() as raw:
        raw.socket.sendall(query("copy copied (i) from stdin"))
        assert raw.receive()[0] == b"G"
        raw.socket.sendall(message(b"d", b"1\n"))
    assert stored(copied) == []


def test_a_cancel_request_ends_a_copy_that_waits_for_data(
    url: str, copied: psycopg.Connection
) -> None:
    with connect(url) as waiting:

        def cancelled() -> Iterator[str]:
            yield "1\n"
            waiting.cancel_safe()
            yield "2\n"

        with pytest.raises(psycopg.errors.QueryCanceled):
            copy(waiting, "copy copied (i) from stdin", cancelled())
        assert waiting.execute("select 1").fetchone() == (1,)
    assert stored(copied) == []


def test_statement_timeout_ends_a_copy_that_waits_for_data(
    url: str, copied: psycopg.Connection
) -> None:
    with Connection(url).begin() as raw:
        raw.socket.sendall(query("set statement_timeout = 200"))
        raw.until_ready()
        raw.socket.sendall(query("copy copied (i) from stdin"))
        assert raw.receive()[0] == b"G"
        kind, body = raw.until_ready()[0]
        assert (kind, b"C57014\0" in body) == (b"E", True)
        raw.socket.sendall(message(b"d", b"1\n") + message(b"c", b"") + query("select 1"))
        assert [kind for kind, _ in raw.until_ready()] == [b"T", b"D", b"C", b"Z"]
    assert stored(copied) == []


def test_sigterm_does_not_wait_for_a_copy(
    data_dir: Path, cache_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    server = database.start(data_dir, cache_dir=cache_dir, jobs=False)
    with Connection(server.url).begin() as raw:
        raw.socket.sendall(query("create table waits (i int); copy waits from stdin"))
        while raw.receive()[0] != b"G":
            pass
        assert server.stop() == 0
        assert b"C57P01\0" in raw.rest()
    assert "cannot be cancelled" not in capfd.readouterr().err


def test_eight_clients_copy_at_once(url: str, copied: psycopg.Connection) -> None:
    together = threading.Barrier(8)

    def work(who: int) -> None:
        with connect(url) as own:
            together.wait()
            for step in range(5):
                copy(own, "copy copied (i, s) from stdin", [f"{who}\t{step}\n"] * 200)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    counted = copied.execute("select i, count(*) from copied group by i order by i").fetchall()
    assert counted == [(who, 1_000) for who in range(8)]


def _speaks_17(program: str | None) -> bool:
    if program is None:
        return False
    said = subprocess.run([program, "--version"], check=True, capture_output=True, text=True)
    return int(said.stdout.split()[2].split(".")[0]) >= 17


@pytest.mark.skipif(
    PSQL is None or not _speaks_17(PG_DUMP), reason="psql and pg_dump 17 are not installed"
)
def test_a_plain_dump_is_loaded_with_psql(data_dir: Path, cache_dir: Path, tmp_path: Path) -> None:
    with database.start(data_dir, cache_dir=cache_dir, jobs=False) as server:
        with connect(server.url) as client:
            client.execute("create schema dumped")
            client.execute("create table dumped.t (i int primary key, s text, t text)")
            client.cursor().executemany("insert into dumped.t values (%s, %s, %s)", ROWS)
        dump = tmp_path / "dump.sql"
        _run(PG_DUMP, "-n", "dumped", "-f", str(dump), server.url)
        with connect(server.url) as client:
            client.execute("drop schema dumped cascade")
        _run(PSQL, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(dump), server.url)
        with connect(server.url) as client:
            assert client.execute("select * from dumped.t order by i").fetchall() == ROWS


def _run(program: str | None, *arguments: str) -> None:
    assert program is not None
    done = subprocess.run(
        [program, *arguments], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
