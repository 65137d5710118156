from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.embedded.conftest import connect
from tests.embedded.raw import Connection, startup


@pytest.fixture
def other(url: str) -> Iterator[psycopg.Connection]:
    with connect(url) as connection:
        yield connection


@pytest.fixture
def analyst(url: str, client: psycopg.Connection) -> Iterator[psycopg.Connection]:
    if client.execute("select to_regrole('analyst')").fetchone() == (None,):
        client.execute("create role analyst login")
    with connect(url.replace("postgres@", "analyst@")) as connection:
        yield connection


def test_the_defaults_are_those_of_a_native_server(client: psycopg.Connection) -> None:
    defaults = {
        "TimeZone": "UTC",
        "client_encoding": "UTF8",
        "search_path": '"$user", public',
        "client_min_messages": "notice",
        "enable_seqscan": "on",
        "allow_system_table_mods": "off",
    }
    shown = client.execute(
        "select jsonb_object_agg(name, setting) from pg_settings where name = any(%s)",
        (list(defaults),),
    ).fetchone()
    assert shown == (defaults,)
    assert client.info.encoding == "utf-8"
    assert client.info.parameter_status("TimeZone") == "UTC"


def test_a_client_hears_of_the_settings_that_drivers_need(url: str) -> None:
    with Connection(url) as connection:
        connection.socket.sendall(startup(user="postgres", TimeZone="Asia/Tokyo"))
        said = [body.split(b"\0")[:2] for kind, body in connection.until_ready() if kind == b"S"]
    heard = {name.decode(): value.decode() for name, value in said}
    assert heard.pop("server_version").startswith("17.")
    assert heard == {
        "application_name": "",
        "client_encoding": "UTF8",
        "DateStyle": "ISO, MDY",
        "integer_datetimes": "on",
        "IntervalStyle": "postgres",
        "is_superuser": "on",
        "server_encoding": "UTF8",
        "session_authorization": "postgres",
        "standard_conforming_strings": "on",
        "TimeZone": "Asia/Tokyo",
    }


def test_a_session_runs_as_the_role_that_connects(analyst: psycopg.Connection) -> None:
    assert analyst.execute("select current_user, session_user").fetchone() == ("analyst",) * 2
    assert analyst.info.parameter_status("is_superuser") == "off"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        analyst.execute("create table public.forbidden ()")


def test_roles_alternate_with_their_connections(
    analyst: psycopg.Connection, client: psycopg.Connection
) -> None:
    for _ in range(3):
        assert analyst.execute("select current_user").fetchone() == ("analyst",)
        assert client.execute("select current_user").fetchone() == ("postgres",)


def test_an_unknown_role_is_refused_with_28000_and_a_hint(url: str) -> None:
    with pytest.raises(psycopg.OperationalError, match='role "stranger" does not exist') as caught:
        connect(url.replace("postgres@", "stranger@"))
    assert "HINT" in str(caught.value)


def test_another_database_is_refused_with_a_hint(url: str) -> None:
    with pytest.raises(psycopg.OperationalError, match='database "other" does not exist') as caught:
        connect(url.removesuffix("postgres") + "other")
    assert 'one database, "postgres"' in str(caught.value)


def test_startup_settings_hold_for_their_connection_only(
    url: str, client: psycopg.Connection
) -> None:
    options = r"-c statement_timeout=12345 --search-path=a,public -c application_name=it's\ me"
    with connect(url, options=options) as configured:
        for _ in range(2):
            assert configured.execute(
                "select current_setting('statement_timeout'), current_setting('search_path'), "
                "current_setting('application_name')"
            ).fetchone() == ("12345ms", "a,public", "it's me")
            assert client.execute("show statement_timeout").fetchone() == ("0",)


def test_an_unknown_startup_setting_is_refused(url: str) -> None:
    with pytest.raises(psycopg.OperationalError, match='parameter "nonsense"'):
        connect(url, options="-c nonsense=1")


@pytest.mark.parametrize(
    ("leave", "look", "clean"),
    [
        ("set timezone = 'Asia/Tokyo'", "show timezone", "UTC"),
        ("select set_config('timezone', 'Asia/Tokyo', false)", "show timezone", "UTC"),
        ("do $$ begin set timezone = 'Asia/Tokyo'; end $$", "show timezone", "UTC"),
        (
            "update pg_settings set setting = 'Asia/Tokyo' where name = 'TimeZone'",
            "show timezone",
            "UTC",
        ),
        (
            "select query_to_xml('select set_con'||'fig(''timezone'', ''Asia/Tokyo'', false)', "
            "false, false, '')",
            "show timezone",
            "UTC",
        ),
        ("set my.own = 'x'", "select nullif(current_setting('my.own', true), '')", None),
        ("set role analyst", "select current_user::text", "postgres"),
        ("set session authorization analyst", "select session_user::text", "postgres"),
        ("prepare leak as select 1", "select max(name) from pg_prepared_statements", None),
        (
            "declare leak cursor with hold for select 1",
            "select max(name) from pg_cursors where is_holdable",
            None,
        ),
    ],
    ids=lambda value: str(value)[:24],
)
@pytest.mark.usefixtures("analyst")
def test_what_one_client_leaves_in_its_session_does_not_reach_another(
    client: psycopg.Connection,
    other: psycopg.Connection,
    leave: str,
    look: str,
    clean: str | None,
) -> None:
    other.execute("select 1")
    client.execute(leave)
    assert other.execute(look).fetchone() == (clean,)


def test_a_setting_survives_while_no_other_client_comes(client: psycopg.Connection) -> None:
    client.execute("set timezone = 'Asia/Tokyo'")
    assert client.execute("show timezone").fetchone() == ("Asia/Tokyo",)


@pytest.mark.parametrize(
    "reset", ["reset all", "discard all", "reset timezone", "set timezone to default"]
)
def test_a_reset_goes_back_to_the_defaults(client: psycopg.Connection, reset: str) -> None:
    client.execute("set timezone = 'Asia/Tokyo'")
    client.execute(reset)
    shown = client.execute(
        "select current_setting('timezone'), current_setting('search_path'), "
        "current_setting('enable_seqscan'), session_user::text"
    ).fetchone()
    assert shown == ("UTC", '"$user", public', "on", "postgres")


def test_prepared_statements_of_two_clients_do_not_collide(
    client: psycopg.Connection, other: psycopg.Connection
) -> None:
    for _ in range(3):
        assert client.execute("select 'a' || %s", ("1",), prepare=True).fetchone() == ("a1",)
        assert other.execute("select 'b' || %s", ("2",), prepare=True).fetchone() == ("b2",)


def test_a_closed_prepared_statement_stays_closed(
    client: psycopg.Connection, other: psycopg.Connection
) -> None:
    client.pgconn.prepare(b"once", b"select 1")
    other.execute("select 1")
    client.pgconn.close_prepared(b"once")
    other.execute("select 1")
    result = client.pgconn.exec_prepared(b"once", None)
    assert b'"once" does not exist' in result.error_message


@pytest.mark.parametrize(
    "slow",
    [
        "select count(*) from generate_series(1, 500000000)",
        "do $$ begin loop null; end loop; end $$",
    ],
    ids=["query", "loop"],
)
def test_statement_timeout_ends_a_statement_with_57014(
    client: psycopg.Connection, slow: str
) -> None:
    client.execute("begin; set local statement_timeout = '100ms'")
    with pytest.raises(psycopg.errors.QueryCanceled):
        client.execute(slow)
    client.execute("rollback")
    assert client.execute("select 1").fetchone() == (1,)


def test_statement_timeout_ends_a_statement_once(client: psycopg.Connection) -> None:
    client.execute("begin; set local statement_timeout = '100ms'")
    handled = client.execute(
        "do $$ begin perform count(*) from generate_series(1, 500000000); "
        "exception when query_canceled then perform pg_sleep(0.2); end $$"
    )
    assert handled.statusmessage == "DO"
    client.execute("rollback")


def test_statement_timeout_counts_each_statement_of_a_pipeline_by_itself(url: str) -> None:
    with connect(url, options="-c statement_timeout=400") as limited, limited.pipeline():
        cursors = [limited.execute("select pg_sleep(0.02), %s", ("x" * 8192,)) for _ in range(30)]
        assert all(cursor.fetchone() for cursor in cursors)
