from __future__ import annotations

import os
import pty
import shutil
import subprocess

import psycopg
import pytest
from psycopg import pq

from tests.embedded.conftest import connect
from tests.embedded.raw import (
    GSS_REQUEST,
    SSL_REQUEST,
    Connection,
    cancelled,
    message,
    query,
    startup,
)
from tests.support.waiting import eventually

PSQL = shutil.which("psql")


@pytest.mark.parametrize("request_", [SSL_REQUEST, GSS_REQUEST], ids=["ssl", "gss"])
def test_encryption_is_declined_and_the_startup_goes_on(url: str, request_: bytes) -> None:
    with Connection(url) as connection:
        connection.socket.sendall(request_)
        assert connection.read(1) == b"N"
        connection.begin().socket.sendall(query("select 1"))
        assert [kind for kind, _ in connection.until_ready()] == [b"T", b"D", b"C", b"Z"]


def test_a_later_minor_version_is_negotiated_down(url: str) -> None:
    later = bytearray(startup(user="postgres", database="postgres"))
    later[7] = 2
    with Connection(url) as connection:
        connection.socket.sendall(bytes(later))
        assert [kind for kind, _ in connection.until_ready()][:2] == [b"v", b"R"]


@pytest.mark.parametrize("setting", [{}, {"work_mem": "3MB"}], ids=["none", "one"])
def test_statements_that_come_with_the_startup_are_answered_after_it(
    url: str, setting: dict[str, str]
) -> None:
    with Connection(url) as connection:
        begun = startup(user="postgres", database="postgres", **setting)
        connection.socket.sendall(begun + query("show work_mem"))
        assert connection.until_ready()[0] == (b"R", b"\0\0\0\0")
        answer = connection.until_ready()
        assert [kind for kind, _ in answer] == [b"T", b"D", b"C", b"Z"]
        assert answer[1][1].endswith(setting.get("work_mem", "4MB").encode())


def test_a_client_that_ends_its_session_is_disconnected(url: str) -> None:
    with Connection(url).begin() as connection:
        connection.socket.sendall(message(b"X", b"") + query("select 1"))
        assert connection.rest() == b""


def test_error_fields_arrive_whole(client: psycopg.Connection) -> None:
    client.execute("create table e (i int constraint e_positive check (i > 0))")
    with pytest.raises(psycopg.errors.CheckViolation) as caught:
        client.execute("insert into e values (%s)", (-1,))
    diag = caught.value.diag
    assert diag.sqlstate == "23514"
    assert (diag.schema_name, diag.table_name, diag.constraint_name) == (
        "public",
        "e",
        "e_positive",
    )
    assert diag.message_detail == "Failing row contains (-1)."


def test_an_own_sqlstate_arrives_with_detail_hint_and_constraint(
    client: psycopg.Connection,
) -> None:
    with pytest.raises(psycopg.DatabaseError) as caught:
        client.execute(
            "do $$ begin raise exception using errcode = 'SV404', message = 'mé', "
            "detail = 'd', hint = 'h', constraint = 'c', column = 'k'; end $$"
        )
    assert caught.value.sqlstate == "SV404"
    diag = caught.value.diag
    assert (diag.message_primary, diag.message_detail, diag.message_hint) == ("mé", "d", "h")
    assert (diag.constraint_name, diag.column_name) == ("c", "k")


def test_a_notice_arrives(client: psycopg.Connection) -> None:
    notices: list[str | None] = []
    client.add_notice_handler(lambda diag: notices.append(diag.message_primary))
    client.execute("do $$ begin raise notice 'seen'; end $$")
    assert notices == ["seen"]


def test_statements_of_one_query_run_in_order_with_begin_and_commit(
    client: psycopg.Connection,
) -> None:
    cursor = client.execute(
        "begin; create table multi (i int); insert into multi values (1), (2); commit; "
        "select count(*) from multi"
    )
    while cursor.nextset():
        pass
    assert cursor.fetchone() == (2,)
    assert client.info.transaction_status == pq.TransactionStatus.IDLE


def test_a_failing_statement_undoes_the_whole_query(client: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        client.execute("create table undone (i int); select 1/0")
    assert client.execute("select to_regclass('undone')").fetchone() == (None,)


def test_a_server_side_cursor_streams_inside_a_transaction(client: psycopg.Connection) -> None:
    with client.transaction(), client.cursor("streaming") as cursor:
        cursor.itersize = 100
        cursor.execute("select i from generate_series(1, 1000) as i")
        assert [row[0] for row in cursor] == list(range(1, 1001))


def test_a_pipeline_gives_each_statement_its_result(client: psycopg.Connection) -> None:
    with client.pipeline():
        cursors = [client.execute("select %s::int", (i,)) for i in range(50)]
        assert [cursor.fetchone() for cursor in cursors] == [(i,) for i in range(50)]


def test_an_error_aborts_a_pipeline_up_to_its_sync(client: psycopg.Connection) -> None:
    client.execute("create table piped (i int)")
    with client.pipeline() as pipeline:
        for statement in (
            "insert into piped values (1)",
            "select 1/0",
            "insert into piped values (2)",
        ):
            client.execute(statement)
        with pytest.raises(psycopg.errors.DivisionByZero):
            pipeline.sync()
        assert client.execute("select count(*) from piped").fetchone() == (0,)
    assert client.info.transaction_status == pq.TransactionStatus.IDLE


@pytest.mark.parametrize("count", [2_000, 3_000, 10_000])
def test_a_long_pipeline_runs_to_its_end(client: psycopg.Connection, count: int) -> None:
    with client.transaction():
        client.execute("create temp table long_pipeline (i int) on commit drop")
        client.cursor().executemany(
            "insert into pg_temp.long_pipeline values (%s)", [(i,) for i in range(count)]
        )
        inserted = client.execute("select count(*) from pg_temp.long_pipeline").fetchone()
    assert inserted == (count,)


def test_a_parameter_and_a_value_of_eight_mebibytes_pass_unchanged(
    client: psycopg.Connection,
) -> None:
    large = os.urandom(8 * 1024 * 1024)
    row = client.execute("select %s::bytea", (large,), binary=True).fetchone()
    assert row is not None
    assert row[0] == large


def test_large_results_come_whole(client: psycopg.Connection) -> None:
    rows = client.execute("select i, repeat('x', 200) from generate_series(1, 50000) as i")
    assert sum(i for i, _ in rows) == 50_000 * 50_001 // 2


@pytest.mark.parametrize(
    "statement",
    [
        "listen events",
        "LISTEN events",
        "select 1; /* both /* nested */ */ listen events",
    ],
)
def test_what_cannot_be_served_is_refused_with_0a000_and_a_hint(
    client: psycopg.Connection, statement: str
) -> None:
    with pytest.raises(psycopg.errors.FeatureNotSupported) as caught:
        client.execute(statement)
    assert caught.value.diag.message_hint
    assert client.execute("select 1").fetchone() == (1,)


@pytest.mark.parametrize(
    "statement",
    [
        "select 'x; listen a'",
        "select $$; copy t from stdin$$",
        "select $a$; listen a $$ ; copy t from stdin $a$",
        "select E'\\'; listen a'",
        'select 1 as "; listen a"',
        "select 1 -- ; listen a",
        "select 1 as listen",
    ],
)
def test_words_inside_strings_names_and_comments_are_not_refused(
    client: psycopg.Connection, statement: str
) -> None:
    assert client.execute(statement).fetchone() is not None


def test_copy_to_stdout_works(client: psycopg.Connection) -> None:
    with client.cursor().copy("copy (select generate_series(1, 3)) to stdout") as copy:
        assert b"".join(copy) == b"1\n2\n3\n"


def test_a_cancel_request_ends_the_statement_with_57014(client: psycopg.Connection) -> None:
    waiting = psycopg.connect(client.info.dsn, autocommit=True)
    pgconn = waiting.pgconn
    pgconn.send_query(b"select count(*) from generate_series(1, 500000000)")
    eventually(lambda: cancelled(pgconn.socket, waiting.cancel_safe))
    result = pgconn.get_result()
    assert result is not None
    assert result.error_field(pq.DiagnosticField.SQLSTATE) == b"57014"
    said = result.error_field(pq.DiagnosticField.MESSAGE_PRIMARY)
    assert said == b"canceling statement due to user request"
    waiting.close()
    assert client.execute("select 1").fetchone() == (1,)


@pytest.mark.skipif(PSQL is None, reason="psql is not installed")
def test_psql_works_interactively_with_its_backslash_commands(
    url: str, client: psycopg.Connection
) -> None:
    client.execute("create table looked_at (id int primary key, name text not null)")
    assert PSQL is not None
    master, terminal = pty.openpty()
    with subprocess.Popen(
        [PSQL, "-X", "-P", "pager=off", url],
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as psql:
        os.close(terminal)
        os.write(master, b"\\d looked_at\n\\dt\n\\du\n\\df public.*\nselect 6 * 7 as n;\n\\q\n")
        output, _ = psql.communicate(timeout=30)
        os.close(master)
    assert psql.returncode == 0
    assert "looked_at_pkey" in output
    assert "Superuser" in output
    assert "42" in output
    assert "ERROR" not in output


def test_a_crash_of_the_server_ends_only_the_statement_that_caused_it(url: str) -> None:
    with connect(url) as other, connect(url) as victim:
        other.execute("create table survives (i int)")
        other.execute("insert into survives values (1)")
        victim.execute(
            "create function public.endless(i int) returns int language plpgsql as "
            "$$ begin return public.endless(i + 1); end $$"
        )
        with pytest.raises(psycopg.errors.CrashShutdown):
            victim.execute("select public.endless(1)")
        assert other.execute("select * from survives").fetchone() == (1,)


def test_three_hundred_nested_calls_fit_the_stack(client: psycopg.Connection) -> None:
    client.execute(
        "create function public.nested(i int) returns int language plpgsql as "
        "$$ begin return case when i = 0 then 0 else 1 + public.nested(i - 1) end; end $$"
    )
    assert client.execute("select public.nested(300)").fetchone() == (300,)
