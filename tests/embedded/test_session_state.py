"""What a client has set is there again whenever its turn comes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.embedded.conftest import connect
from tests.embedded.raw import SYNC, Connection, extended, message
from tests.support.waiting import eventually

FLUSH = message(b"H", b"")


@pytest.fixture
def other(url: str, client: psycopg.Connection) -> Iterator[psycopg.Connection]:
    if client.execute("select to_regrole('member')").fetchone() == (None,):
        client.execute("create role member in role pg_monitor")
    with connect(url) as connection:
        yield connection


def one(connection: psycopg.Connection, sql: str) -> object:
    row = connection.execute(sql).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("change", "look", "kept"),
    [
        ("set timezone = 'Asia/Tokyo'", "show timezone", "Asia/Tokyo"),
        ("set search_path = a, \"B c\", public", "show search_path", 'a, "B c", public'),
        ("set default_transaction_read_only = on", "show transaction_read_only", "on"),
        ("set session characteristics as transaction isolation level serializable",
         "show transaction_isolation", "serializable"),
        ("set statement_timeout = '1234567ms'", "show statement_timeout", "1234567ms"),
        ("set work_mem = '5MB'", "show work_mem", "5MB"),
        ("set client_encoding = 'SQL_ASCII'", "show client_encoding", "SQL_ASCII"),
        ("set random_page_cost = 1.25", "show random_page_cost", "1.25"),
        ("set my.own = 'it''s'", "show my.own", "it's"),
        ("set role member", "select current_user::text", "member"),
        ("set session authorization member", "select session_user::text", "member"),
        ("set role pg_monitor; set session authorization member; set role none",
         "select session_user || ' ' || current_user", "member member"),
        ("set role pg_monitor; set session authorization member; set role pg_monitor",
         "select session_user || ' ' || current_user", "member pg_monitor"),
        ("select set_config('timezone', 'Asia/Tokyo', false)", "show timezone", "Asia/Tokyo"),
        ("update pg_settings set setting = 'Asia/Tokyo' where name = 'TimeZone'",
         "show timezone", "Asia/Tokyo"),
        ("do $$ begin execute 'set time' || 'zone = ''Asia/Tokyo'''; end $$",
         "show timezone", "Asia/Tokyo"),
        ("set seed = 0.5", "show timezone", "UTC"),
        ("prepare p as select 'p'", "execute p", "p"),
        ("do $$ begin execute 'prep' || 'are p as select ''p'''; end $$", "execute p", "p"),
        ("declare c cursor with hold for select i from generate_series(1, 9) as i",
         "fetch absolute 7 from c", 7),
        ("create sequence s_kept start 7; select nextval('s_kept')", "select currval('s_kept')", 7),
    ],
    ids=lambda value: str(value)[:30],
)  # fmt: skip
def test_what_a_client_has_set_outlasts_the_turns_of_others(
    client: psycopg.Connection,
    other: psycopg.Connection,
    change: str,
    look: str,
    kept: object,
) -> None:
    before = connect(client.info.dsn)
    other.execute("drop sequence if exists s_kept")
    client.execute(change)
    for _ in range(3):
        assert before.execute(
            "select current_user::text, current_setting('timezone')"
        ).fetchone() == (
            "postgres",
            "UTC",
        )
        other.execute("select 1")
        assert one(client, look) == kept
    before.close()


def test_two_clients_have_prepared_statements_cursors_and_sequences_of_the_same_names(
    client: psycopg.Connection, other: psycopg.Connection
) -> None:
    other.execute("create sequence s_both")
    for connection, value in ((client, 10), (other, 20)):
        connection.execute(f"prepare same as select {value}")
        connection.execute(f"declare same scroll cursor with hold for select {value}")
        connection.execute(f"select setval('s_both', {value})")
    for _ in range(2):
        for connection, value in ((client, 10), (other, 20)):
            assert one(connection, "execute same") == value
            assert one(connection, "fetch absolute 1 from same") == value
            assert one(connection, "select currval('s_both')") == value
    assert one(client, "select nextval('s_both')") == 21
    assert one(other, "select currval('s_both')") == 20
    assert one(client, "select lastval()") == 21


def test_an_unnamed_statement_waits_for_its_own_client(url: str) -> None:
    parsed = message(b"P", b"\0select 'mine'\0\0\0")
    executed = message(b"B", b"\0\0" + b"\0\0" * 3) + message(b"E", b"\0\0\0\0\0")
    with Connection(url).begin() as mine, Connection(url).begin() as others:
        mine.socket.sendall(parsed + SYNC)
        mine.until_ready()
        others.socket.sendall(extended("select 'not mine'") + SYNC)
        others.until_ready()
        mine.socket.sendall(executed + SYNC)
        assert (b"D", b"\0\1\0\0\0\4mine") in mine.until_ready()


@pytest.mark.parametrize(
    "statement",
    ["select 'deallocate'", 'select 1 as "discard"', "-- deallocate all\nselect 1"],
)
def test_sql_that_mentions_deallocate_drops_nothing(
    client: psycopg.Connection, other: psycopg.Connection, statement: str
) -> None:
    for connection in (client, other):
        connection.pgconn.prepare(b"kept", b"select 'kept'")
    client.execute(statement)
    for connection in (other, client):
        assert connection.pgconn.exec_prepared(b"kept", None).get_value(0, 0) == b"kept"


@pytest.mark.parametrize(
    "drop", ["deallocate all", "discard all", "do $$ begin deallocate all; end $$"]
)
def test_statements_that_a_client_drops_are_dropped_for_it_alone(
    client: psycopg.Connection, other: psycopg.Connection, drop: str
) -> None:
    for connection in (client, other):
        connection.pgconn.prepare(b"named", b"select 'there'")
    client.execute(drop)
    assert other.pgconn.exec_prepared(b"named", None).get_value(0, 0) == b"there"
    assert b"does not exist" in client.pgconn.exec_prepared(b"named", None).error_message


def test_a_reset_brings_back_the_value_of_the_startup_message(url: str) -> None:
    with connect(url, options="-c timezone=Asia/Tokyo") as connection, connect(url) as other:
        connection.execute("set timezone = 'Europe/Oslo'")
        other.execute("select 1")
        connection.execute("reset timezone")
        other.execute("select 1")
        assert one(connection, "show timezone") == "Asia/Tokyo"


def test_what_a_client_that_has_left_had_set_is_gone(url: str, client: psycopg.Connection) -> None:
    with connect(url) as leaving:
        leaving.execute("prepare left_behind as select 1")
        leaving.execute("declare left_behind cursor with hold for select 1")
        leaving.execute("set timezone = 'Asia/Tokyo'")
    assert one(client, "show timezone") == "UTC"
    assert one(client, "select count(*) from pg_prepared_statements") == 0
    assert one(client, "select count(*) from pg_cursors where name = 'left_behind'") == 0


def test_the_last_values_of_sequences_of_a_client_that_has_left_are_nobody_elses(
    url: str, client: psycopg.Connection, other: psycopg.Connection
) -> None:
    with connect(url) as leaving:
        leaving.execute("create sequence s_left; select nextval('s_left')")
        client.execute("select 1")
    other.execute("select 1")
    for look in ("select currval('s_left')", "select lastval()"):
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
            client.execute(look)


def test_a_client_that_leaves_does_not_touch_the_open_transaction_of_another(
    url: str, client: psycopg.Connection
) -> None:
    client.execute("create table untouched (i int)")
    leaving = [connect(url) for _ in range(2)]
    for connection in leaving:
        connection.execute("prepare left_behind as select 1")
    with Connection(url).begin() as piped:
        piped.socket.sendall(extended("insert into untouched values (1)") + FLUSH)
        while piped.receive()[0] != b"C":
            pass
        leaving[0].close()
        piped.socket.sendall(extended("select 1/0") + SYNC)
        piped.until_ready()
    assert one(client, "select count(*) from untouched") == 0
    with client.transaction(), client.cursor("open") as cursor:
        cursor.execute("select i from generate_series(1, 3) as i")
        assert cursor.fetchone() == (1,)
        leaving[1].close()
        assert cursor.fetchall() == [(2,), (3,)]


def test_changes_of_others_are_not_reported(url: str, client: psycopg.Connection) -> None:
    with Connection(url).begin() as connection:
        for zone in ("Asia/Tokyo", "Europe/Oslo"):
            client.execute(f"set timezone = '{zone}'")
            connection.socket.sendall(extended("select 1") + SYNC)
            assert [kind for kind, _ in connection.until_ready()] == [b"1", b"2", b"D", b"C", b"Z"]


def test_a_client_whose_settings_a_crash_took_away_is_ended_with_57p02(
    url: str, client: psycopg.Connection
) -> None:
    with connect(url) as first, connect(url) as changed, connect(url) as victim:
        # This one is not kept, and must not hide what others have set.
        client.execute("set seed = 0.5")
        first.execute("set timezone = 'Europe/Oslo'")
        for statement in ("begin", "set timezone = 'Asia/Tokyo'", "commit"):
            changed.execute(statement)
        client.execute("select 1")
        victim.execute(
            "create or replace function public.bottomless(i int) returns int language plpgsql as "
            "$$ begin return public.bottomless(i + 1); end $$"
        )
        with pytest.raises(psycopg.errors.CrashShutdown):
            victim.execute("select public.bottomless(1)")
        for lost in (first, changed):
            with pytest.raises(psycopg.errors.CrashShutdown, match="what this session has set is"):
                lost.execute("show timezone")
    assert one(client, "show timezone") == "UTC"


@pytest.mark.parametrize(
    ("login", "options", "statement"),
    [
        ("dropped_soon", "", "select 1"),
        ("postgres", "-c role=dropped_soon -c work_mem=5MB", "select 1"),
        ("postgres", "", "set role dropped_soon"),
    ],
    ids=["login", "startup", "set"],
)
def test_clients_whose_role_is_dropped_are_ended_with_57p01(
    url: str, client: psycopg.Connection, login: str, options: str, statement: str
) -> None:
    client.execute("create role dropped_soon login")
    own = url.replace("postgres@", f"{login}@")
    with connect(own, options=options) as one_gone, connect(own, options=options) as other_gone:
        for gone in (one_gone, other_gone):
            gone.execute(statement)
            assert one(gone, "select current_user::text") == "dropped_soon"
        client.execute("drop role dropped_soon")
        refusal = 'setting "role" of this session cannot be put back'
        for gone in (one_gone, other_gone):
            with pytest.raises(psycopg.errors.AdminShutdown, match=refusal):
                gone.execute("select 1")
    assert one(client, "select session_user || ' ' || current_user") == "postgres postgres"
    assert one(client, "show work_mem") == "4MB"


@pytest.mark.parametrize("name", ["", "mine"])
def test_a_client_starts_in_the_role_of_its_startup_message(
    url: str, client: psycopg.Connection, other: psycopg.Connection, name: str
) -> None:
    with connect(url, options="-c role=member", application_name=name) as connection:
        for _ in range(2):
            assert one(connection, "select current_user::text") == "member"
            assert one(other, "select current_user::text") == "postgres"


@pytest.mark.parametrize("last", [True, False], ids=["last", "before others"])
def test_files_of_a_client_that_has_left_are_removed(
    url: str,
    shared_dir: Path,
    client: psycopg.Connection,
    other: psycopg.Connection,
    last: bool,
) -> None:
    folder = shared_dir / "pgdata" / "base" / "pgsql_tmp"
    with connect(url) as leaving:
        leaving.execute(
            "declare large cursor with hold for select repeat('x', 1000) "
            "from generate_series(1, 10000)"
        )
        if not last:
            other.execute("select 1")
        assert list(folder.iterdir()) != []

    def removed() -> bool:
        for each in (client, other):
            each.execute("select 1")
        return list(folder.iterdir()) == []

    eventually(removed)


def test_an_encoding_that_cannot_be_converted_is_refused(client: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.FeatureNotSupported):
        client.execute("set client_encoding = 'LATIN1'")
    with pytest.raises(psycopg.OperationalError, match="LATIN1"):
        connect(client.info.dsn, client_encoding="LATIN1")
    assert one(client, "show client_encoding") == "UTF8"


TEMPORARY = "temporary objects that outlast their transaction are not supported"


@pytest.mark.parametrize(
    "statement",
    [
        "create temp table t_lasting ()",
        "select 1 as i into temp t_lasting",
        "create table pg_temp.t_lasting ()",
        "create temp table t_lasting on commit delete rows as select 1 as i",
        "create temp sequence t_lasting",
        "create temp view t_lasting as select 1 as i",
        "create function pg_temp.t_lasting() returns int return 1",
        "do $$ begin execute 'create tem' || 'p table t_lasting ()'; end $$",
        "create temp table t_dropped (i serial) on commit drop; create temp table t_lasting ()",
    ],
)
def test_a_temporary_object_that_would_outlast_its_transaction_is_refused_with_0a000(
    client: psycopg.Connection, other: psycopg.Connection, statement: str
) -> None:
    with pytest.raises(psycopg.errors.FeatureNotSupported, match=TEMPORARY) as caught:
        client.execute(statement)
    assert "ON COMMIT DROP" in (caught.value.diag.message_hint or "")
    for connection in (client, other):
        assert one(connection, "select to_regclass('t_lasting')") is None
        assert one(connection, "select to_regproc('pg_temp.t_lasting')") is None


def test_the_commit_that_would_keep_a_temporary_table_rolls_back(
    client: psycopg.Connection,
) -> None:
    client.execute("create table rolled_back ()")
    client.execute("begin; create temp table t_lasting (); drop table rolled_back")
    with pytest.raises(psycopg.errors.FeatureNotSupported, match=TEMPORARY):
        client.execute("commit")
    assert one(client, "select to_regclass('rolled_back')") is not None


@pytest.mark.parametrize(
    "statements",
    [
        ["begin", "create temp table t (i serial primary key, t text) on commit drop",
         "insert into t values (1)", "commit"],
        ["begin", "create temp table t as select 1 as i", "drop table t", "commit"],
        ["begin", "create temp table t (i int)", "rollback"],
        ["create temp table t on commit drop as select 1 as i; select * from t"],
        ["create temp table t (i int); insert into t values (1); drop table t"],
        ["begin", "create temp table t (i int) on commit drop",
         "create temp view v as select i from t", "drop view v", "commit"],
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_a_temporary_table_of_one_transaction_works(
    client: psycopg.Connection, statements: list[str]
) -> None:
    for _ in range(2):
        for statement in statements:
            client.execute(statement)
    assert client.execute("select to_regclass('pg_temp.t')").fetchone() == (None,)


LOCKS = "session advisory locks are not supported"


@pytest.mark.parametrize(
    "statement",
    [
        "select pg_advisory_lock(1)",
        "select pg_try_advisory_lock_shared(1, 2)",
        "do $$ begin execute 'select pg_advi' || 'sory_lock(1)'; end $$",
        "begin; select pg_advisory_lock(1); select pg_advisory_xact_lock(1); commit",
    ],
)
def test_a_session_advisory_lock_is_refused_with_0a000_and_not_held(
    client: psycopg.Connection, other: psycopg.Connection, statement: str
) -> None:
    with pytest.raises(psycopg.errors.FeatureNotSupported, match=LOCKS) as caught:
        client.execute(statement)
    assert "pg_advisory_xact_lock" in (caught.value.diag.message_hint or "")
    assert one(other, "select count(*) from pg_locks where locktype = 'advisory'") == 0


def test_a_session_advisory_lock_of_a_transaction_that_is_rolled_back_is_released_with_a_warning(
    client: psycopg.Connection, other: psycopg.Connection
) -> None:
    warnings: list[str | None] = []
    client.add_notice_handler(lambda diag: warnings.append(diag.message_primary))
    client.execute("begin; select pg_advisory_lock(1)")
    assert one(client, "select count(*) from pg_locks where locktype = 'advisory'") == 1
    client.execute("rollback")
    assert [str(text)[: len(LOCKS)] for text in warnings] == [LOCKS]
    assert one(other, "select count(*) from pg_locks where locktype = 'advisory'") == 0


def test_advisory_locks_of_a_transaction_work(client: psycopg.Connection) -> None:
    client.execute("select pg_advisory_xact_lock(1)")
    client.execute("begin; select pg_advisory_lock(2), pg_advisory_unlock(2); commit")
    assert one(client, "select count(*) from pg_locks where locktype = 'advisory'") == 0


CHANGES = {
    "timezone": st.sampled_from(["UTC", "Asia/Tokyo", "Europe/Oslo"]),
    "work_mem": st.sampled_from(["64kB", "1MB", "4MB"]),
    "my.own": st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=30),
    "search_path": st.sampled_from(["a, b", "public", '"$user", public']),
}
STEPS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(sorted(CHANGES)).flatmap(
            lambda name: st.tuples(st.just(name), st.none() | CHANGES[name])
        ),
        st.sampled_from(["commit", "rollback", "begin; {}; commit", "begin; {}; rollback", "{}"]),
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None)
@given(STEPS)
def test_every_client_sees_its_own_settings_after_any_changes_of_all(
    shared_url: str, steps: list[tuple[int, tuple[str, str | None], str]]
) -> None:
    connections = [connect(shared_url) for _ in range(3)]
    look = "select " + ", ".join(f"nullif(current_setting('{name}', true), '')" for name in CHANGES)
    try:
        first = [list(c.execute(look).fetchone() or ()) for c in connections]
        expected = [list(row) for row in first]
        for who, (name, value), how in steps:
            at = list(CHANGES).index(name)
            literal = psycopg.sql.quote(value or "")
            changed = f"select set_config('{name}', {literal}, false)"
            change = f"reset {name}" if value is None else changed
            connections[who].execute((how if "{}" in how else "{}").format(change))
            if "rollback" not in how or "{}" not in how:
                expected[who][at] = first[who][at] if value is None else (value or None)
            assert [list(c.execute(look).fetchone() or ()) for c in connections] == expected
    finally:
        for connection in connections:
            connection.close()


@pytest.fixture(scope="module")
def shared_url(shared: object) -> str:
    return str(shared.url)  # type: ignore[attr-defined]
