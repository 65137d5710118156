"""What the views of analytics show: everything, or to some logins their namespaces only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import Connection

from tests.sql.calls import ask
from tests.support.tenants import ACME, EVERYONE, TENANTS, UMBRELLA

LOGIN = "analyst_of_acme"
# Nobody was down, nothing is rolled up, and nothing was sent twice.
EMPTY = {
    *("outages", "conflicts"),
    *("metrics_hourly", "metrics_daily", "facts_hourly", "facts_daily", "kpi_daily"),
}


@pytest.fixture
def filled(db: Connection) -> Connection:
    """A database in which every tenant has something, and a login of acme's analyst."""
    for tenant in TENANTS:
        tenant.fill(db)
    db.execute(f"create role {LOGIN} login in role supervisor_analyst".encode())
    db.execute("insert into data.service_uptime values (tstzrange('2025-06-01', now()))")
    return db


@contextmanager
def logged_in(db: Connection, login: str = LOGIN) -> Iterator[None]:
    """A session of a login."""
    db.execute(f"set local session authorization {login}".encode())
    yield
    db.execute("reset session authorization")


def views(db: Connection) -> list[str]:
    """The views of analytics."""
    names: list[str] = ask(
        db,
        "select array_agg(relname::text order by relname) from pg_class"
        " where relnamespace = 'analytics'::regnamespace and relkind = 'v'",
    )
    return names


def shown(db: Connection) -> dict[str, dict[str, str]]:
    """What each view shows, by namespace."""
    return {
        view: dict(
            db.execute(
                f"select namespace, string_agg(to_jsonb(each)::text, ' ') from analytics.{view}"
                " as each group by 1".encode()
            ).fetchall()
        )
        for view in views(db)
    }


def test_an_analyst_sees_every_namespace_and_tells_them_apart(filled: Connection) -> None:
    with logged_in(filled):
        found = shown(filled)
    for view, by_namespace in found.items():
        expected = set() if view in EMPTY else {"", "acme", "umbrella"}
        assert by_namespace.keys() == expected, view
        for namespace, text in by_namespace.items():
            assert [t.namespace for t in TENANTS if t.word in text] in ([namespace], []), view


@pytest.mark.parametrize("setting", ["", "umbrella"])
def test_a_bound_login_sees_its_namespaces_whatever_it_sets(
    filled: Connection, setting: str
) -> None:
    bind(filled, LOGIN, ACME.namespace)
    with logged_in(filled):
        filled.execute("select set_config('supervisor.namespace', %s, true)", [setting])
        found = shown(filled)
    for view, by_namespace in found.items():
        assert by_namespace.keys() == (set() if view in EMPTY else {"acme"}), view
        text = " ".join(by_namespace.values())
        assert UMBRELLA.word not in text
        assert EVERYONE.word not in text


@pytest.mark.parametrize(
    ("view", "rollup", "width"),
    [
        ("analytics.metrics_hourly", "sample_1h", "1 hour"),
        ("analytics.metrics_daily", "sample_1d", "1 day"),
        ("analytics.facts_hourly", "sample_1h", "1 hour"),
        ("analytics.facts_daily", "sample_1d", "1 day"),
    ],
)
def test_a_bound_login_sees_what_is_rolled_up_of_its_namespaces_only(
    filled: Connection, view: str, rollup: str, width: str
) -> None:
    hypertable = ask(filled, "select internal.hypertable(%s)", rollup)
    filled.execute(
        f"insert into {hypertable} select * from internal.raw_rollup("
        "array(select kind_id from data.every_kind), '2020-01-01', now() + interval '1 day', %s,"
        " null)".encode(),
        [width],
    )
    namespaces = f"select array_agg(distinct namespace order by namespace) from {view}"
    with logged_in(filled):
        assert ask(filled, namespaces) == ["", "acme", "umbrella"]
    bind(filled, LOGIN, ACME.namespace)
    with logged_in(filled):
        assert ask(filled, namespaces) == ["acme"]


def test_a_bound_login_sees_outages_of_its_servers_only(filled: Connection) -> None:
    filled.execute(
        "insert into data.health_interval (server_id, signal, status, during, reason)"
        " select server_id, 'probe', 'down',"
        " tstzrange(now() - interval '3 hours', now() - interval '2 hours'), namespace"
        " from data.every_server"
    )
    bind(filled, LOGIN, ACME.namespace)
    with logged_in(filled):
        assert shown(filled)["outages"].keys() == {"acme"}


def test_a_login_is_bound_to_several_namespaces_and_to_none_again(filled: Connection) -> None:
    bind(filled, LOGIN, "acme", "")
    with logged_in(filled):
        assert shown(filled)["metrics"].keys() == {"", "acme"}
    bind(filled, LOGIN)
    with logged_in(filled):
        assert shown(filled)["metrics"].keys() == {"", "acme", "umbrella"}


def test_another_name_of_a_login_or_another_role_changes_nothing(filled: Connection) -> None:
    bind(filled, LOGIN, ACME.namespace)
    filled.execute(f"alter role {LOGIN} rename to renamed".encode())
    with logged_in(filled, "renamed"):
        filled.execute("set local role supervisor_analyst")
        assert shown(filled)["metrics"].keys() == {"acme"}
        filled.execute("reset role")


def test_a_function_of_an_analyst_sees_no_row_of_another_namespace(filled: Connection) -> None:
    bind(filled, LOGIN, ACME.namespace)
    heard: list[str] = []
    filled.add_notice_handler(lambda notice: heard.append(notice.message_primary or ""))
    with logged_in(filled):
        # Cheaper than any condition of a view, so that the planner would like to call it first.
        filled.execute(
            "create function pg_temp.show(p_row text) returns boolean"
            " language plpgsql cost 0.0000001"
            " as $$ begin raise notice 'row: %', p_row; return true; end $$"
        )
        for view in views(filled):
            filled.execute(
                f"select count(*) from analytics.{view} as each"
                " where pg_temp.show(to_jsonb(each)::text)".encode()
            )
    rows = " ".join(message for message in heard if message.startswith("row: "))
    assert ACME.word in rows
    assert UMBRELLA.word not in rows
    assert EVERYONE.word not in rows


def test_every_view_of_analytics_is_a_security_barrier(db: Connection) -> None:
    rows = db.execute(
        "select relname from pg_class"
        " where relnamespace = 'analytics'::regnamespace and relkind = 'v'"
        " and not coalesce(reloptions @> '{security_barrier=true}', false)"
    ).fetchall()
    assert rows == []


def test_no_analyst_sees_or_changes_who_is_bound(filled: Connection) -> None:
    for statement in (
        "select * from data.namespace_login",
        f"select ops.bind_login('{LOGIN}', '{{}}')",
        "select internal.shown_namespaces()",
    ):
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            filled.transaction(),
            logged_in(filled),
        ):
            filled.execute(statement.encode())


@pytest.mark.parametrize(
    ("login", "namespaces", "slug"),
    [("nobody", ["acme"], "login_unknown"), (LOGIN, ["ACME"], "namespace_well_formed")],
)
def test_a_bad_binding_is_refused(
    filled: Connection, login: str, namespaces: list[str], slug: str
) -> None:
    with pytest.raises(psycopg.DatabaseError) as refused, filled.transaction():
        bind(filled, login, *namespaces)
    assert refused.value.diag.constraint_name == slug
    assert refused.value.diag.message_hint


def test_a_binding_to_several_bad_namespaces_names_the_first_one(filled: Connection) -> None:
    for namespaces, named in ((["b" * 150, "a" * 150], "a" * 100), (["shop", None], "<NULL>")):
        with pytest.raises(psycopg.DatabaseError) as refused, filled.transaction():
            filled.execute("select ops.bind_login(%s, %s)", [LOGIN, namespaces])
        assert refused.value.diag.constraint_name == "namespace_well_formed"
        assert refused.value.diag.message_primary == f'invalid namespace "{named}"'


def bind(db: Connection, login: str, *namespaces: str) -> None:
    """What an administrator does."""
    db.execute("set local role supervisor_dba")
    db.execute("select ops.bind_login(%s, %s)", [login, list(namespaces)])
    db.execute("reset role")
