"""A session cannot leave the role that it has logged in as."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest

from tests.embedded.conftest import connect

ESCAPES = [
    "set session authorization postgres",
    "set local session authorization postgres",
    "set session authorization default",
    "reset session authorization",
    "reset all",
    "discard all",
    "set role postgres",
    "set role none",
    "set role supervised",
    "select set_config('session_authorization', 'postgres', false)",
    "select set_config('role', 'postgres', false)",
    "update pg_settings set setting = 'postgres' where name = 'session_authorization'",
    "update pg_settings set setting = 'postgres' where name = 'role'",
    "update pg_settings set setting = 'on' where name = 'is_superuser'",
    "select query_to_xml('set session authorization postgres', true, true, '')",
    "select query_to_xml('select set_config(''session_authorization'', ''postgres'', false)', "
    "true, true, '')",
    "do $$ begin set session authorization postgres; end $$",
    "do $$ begin execute 'reset session ' || 'authorization'; end $$",
    "do $$ begin perform set_config('role', 'postgres', true); end $$",
    "begin; set local role none; reset session authorization; commit",
    "begin; savepoint s; reset session authorization; rollback to s; commit",
    "set local role postgres",
    "reset role",
    "set session role postgres",
    "begin; set session authorization default; commit",
    "select set_config('role', 'none', true)",
    "prepare p as select set_config('role', 'postgres', false); execute p",
    "do $$ begin execute 'set local role postgres'; end $$",
    "do $$ begin set local role postgres; end $$",
    "with x as (select set_config('role', 'postgres', false)) select * from x",
    "grant postgres to reader",
    "grant supervised to reader",
    "alter role reader superuser",
    "alter role reader createrole",
    "alter role reader set role postgres",
    "alter database postgres set role = 'postgres'",
    "create role other superuser",
    "set is_superuser = on",
    "set local session_replication_role = replica",
    "create function pg_temp.f() returns void language sql security definer set role = 'postgres'"
    " as 'create table public.escaped ()'; select pg_temp.f()",
    "create extension plpython3u",
    "load '/tmp/escape.so'",
    "reassign owned by postgres to reader",
    "update pg_catalog.pg_authid set rolsuper = true where rolname = 'reader'",
]
# What reaches outside of the database.
OUTSIDE = [
    "copy (select 1) to program 'id'",
    "copy pg_catalog.pg_class to '/tmp/escaped'",
    "create table pg_temp.t (x text); copy pg_temp.t from '/etc/passwd'",
    "create table pg_temp.t (x text); copy pg_temp.t from program 'id'",
    "select pg_read_file('/etc/passwd')",
    "select pg_read_binary_file('PG_VERSION')",
    "select pg_ls_dir('.')",
    "select pg_stat_file('PG_VERSION')",
    "select lo_import('/etc/passwd')",
    "select lo_export(1, '/tmp/escaped')",
    "create function pg_temp.f() returns int language c as 'libc', 'getpid'",
    "create function pg_temp.f() returns int language internal as 'int4pl'",
    "alter system set archive_command = 'id'",
    "select pg_reload_conf()",
    "select rolpassword from pg_catalog.pg_authid",
    "checkpoint",
]


@pytest.fixture
def analyst(url: str, client: psycopg.Connection) -> Iterator[psycopg.Connection]:
    for role in ("reader", "supervised"):
        if client.execute("select to_regrole(%s)", (role,)).fetchone() == (None,):
            client.execute(f"create role {role} login")
    with connect(url.replace("postgres@", "reader@")) as connection:
        yield connection


def forbidden(analyst: psycopg.Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        analyst.execute(statement)


@pytest.mark.parametrize("escape", ESCAPES)
def test_no_statement_leaves_the_role_of_a_login(
    client: psycopg.Connection, analyst: psycopg.Connection, escape: str
) -> None:
    with pytest.raises(psycopg.Error):
        analyst.execute(f"{escape}; create table public.escaped ()")
    analyst.execute("rollback")
    for _ in range(2):
        with suppress(psycopg.Error):
            analyst.execute(escape)
        analyst.execute("rollback")
        assert analyst.execute(
            "select current_user, session_user, current_setting('is_superuser')"
        ).fetchone() == ("reader", "reader", "off")
        forbidden(analyst, "create table public.escaped ()")
        client.execute("select 1")
    assert client.execute("select to_regclass('public.escaped')").fetchone() == (None,)


@pytest.mark.parametrize("statement", OUTSIDE)
def test_a_login_reaches_nothing_outside_of_the_database(
    analyst: psycopg.Connection, statement: str
) -> None:
    forbidden(analyst, statement)


@pytest.mark.parametrize("name", ["role", "session_authorization"])
def test_a_prepared_statement_does_not_leave_the_role_either(
    client: psycopg.Connection, analyst: psycopg.Connection, name: str
) -> None:
    for _ in range(3):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            analyst.execute(
                "select set_config(%s, %s, false)", [name, "postgres"], prepare=True, binary=True
            )
        client.execute("select 1")
        assert analyst.execute("select session_user, current_user").fetchone() == ("reader",) * 2


def test_a_function_of_the_login_does_not_leave_its_role_either(
    client: psycopg.Connection, analyst: psycopg.Connection
) -> None:
    client.execute("create schema if not exists own authorization reader")
    analyst.execute(
        "create or replace function own.escape() returns void language plpgsql as "
        "$$ begin perform set_config('session_authorization', 'postgres', false); end $$"
    )
    forbidden(analyst, "select own.escape()")
    assert analyst.execute("select session_user").fetchone() == ("reader",)


def test_a_superuser_takes_another_role_and_comes_back(
    client: psycopg.Connection, analyst: psycopg.Connection
) -> None:
    for back in ("reset session authorization", "set session authorization default", "discard all"):
        client.execute("set session authorization reader")
        assert analyst.execute("select session_user").fetchone() == ("reader",)
        assert client.execute("select session_user").fetchone() == ("reader",)
        client.execute(back)
        assert client.execute("select session_user").fetchone() == ("postgres",)


def test_the_session_names_its_user_as_a_native_server_does(
    client: psycopg.Connection, analyst: psycopg.Connection
) -> None:
    for connection, user in ((client, "postgres"), (analyst, "reader")) * 2:
        shown = connection.execute("show session_authorization").fetchone()
        assert shown == (user,)


@pytest.mark.parametrize("setting", ["session_authorization", "role"])
def test_a_startup_message_does_not_leave_the_role_of_its_login(
    url: str, analyst: psycopg.Connection, setting: str
) -> None:
    with (
        pytest.raises(psycopg.OperationalError),
        connect(url.replace("postgres@", "reader@"), options=f"-c {setting}=postgres") as escaped,
    ):
        escaped.execute("create table public.escaped ()")
    assert analyst.execute("select to_regclass('public.escaped'), session_user").fetchone() == (
        None,
        "reader",
    )


def test_settings_of_superusers_are_refused_to_others_at_their_start(
    url: str, analyst: psycopg.Connection
) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied to set parameter"):
        connect(url.replace("postgres@", "reader@"), options="-c session_replication_role=replica")
    assert analyst.execute("show session_replication_role").fetchone() == ("origin",)
