"""Roles: who may do what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import Connection
from psycopg.sql import SQL, Identifier

from tests.sql.calls import (
    ask,
    fact,
    histogram,
    ingest_facts,
    ingest_metrics,
    metric,
    query_agg,
    query_facts,
)
from tests.support.data_directories import sql_dir


@contextmanager
def acting_as(db: Connection, role: str) -> Iterator[None]:
    db.execute(SQL("set local role {}").format(Identifier(role)))
    yield
    db.execute("reset role")


@contextmanager
def forbidden(db: Connection) -> Iterator[None]:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), db.transaction():
        yield


def test_the_service_ingests_and_queries(db: Connection) -> None:
    with acting_as(db, "supervisor_app"):
        ingest_metrics(db, [metric(), metric(value=7)])
        ingest_facts(db, fact())
        assert query_agg(db)["count"] == 1
        assert len(query_facts(db)["items"]) == 1
        ask(db, "select api.record_agg('{}')")
        ask(db, "select visibility from api.list_changes(api.get_visibility())")
        ask(db, "select api.list_kinds(null, null, null, null)")
        ask(db, "select api.query_metrics('cpu', null, null, null, null, null, null, now())")
        assert ask(db, "select api.get_state(now())")["kinds"] == 2


@pytest.mark.parametrize(
    "statement",
    [
        "select * from data.sample",
        "select * from data.sample_1h",
        "insert into data.quota values ('x', 1)",
        "select internal.rollups()",
        "select internal.store_metrics('[]', false, now())",
        "call internal.prune(0, '{}')",
        "select * from analytics.metrics",
        "select * from ops.policies",
        "select * from deploy.migration",
        "create table api.mine (x int)",
        "create table public.mine (x int)",
        "create function public.time_bucket(text, timestamptz) returns int return 1",
        "drop function api.list_kinds",
    ],
)
def test_the_service_does_nothing_else(db: Connection, statement: str) -> None:
    with forbidden(db), acting_as(db, "supervisor_app"):
        db.execute(statement)


def test_the_service_does_not_reach_chunks(db: Connection) -> None:
    ingest_metrics(db, metric())
    chunk = ask(db, "select show_chunks('data.sample')::text")
    with forbidden(db), acting_as(db, "supervisor_app"):
        db.execute(SQL("select * from {}").format(Identifier(*chunk.split("."))))


def test_analysts_read_views_and_nothing_else(db: Connection) -> None:
    ingest_metrics(db, metric(value=5))
    ingest_facts(db, fact(subject="ACME"))
    with acting_as(db, "supervisor_analyst"):
        assert ask(db, "select value from analytics.metrics") == 5
        assert ask(db, "select subject from analytics.facts") == "ACME"
        assert ask(db, "select count(*) from analytics.aggregates") == 0
    for statement in (
        "select * from data.sample",
        "delete from data.fact",
        "select api.get_state(now())",
        "select * from ops.policies",
    ):
        with forbidden(db), acting_as(db, "supervisor_analyst"):
            db.execute(statement)


def test_administrators_read_ops(db: Connection) -> None:
    with acting_as(db, "supervisor_dba"):
        assert ask(db, "select count(*) from ops.policies") > 10


def test_functions_of_api_are_definers_with_a_search_path_and_a_time_zone_of_their_own(
    db: Connection,
) -> None:
    loose = db.execute(
        """
        select proname from pg_proc
        where pronamespace = 'api'::regnamespace
            and not (
                prosecdef
                and proconfig @> '{"search_path=pg_catalog, public, pg_temp",TimeZone=UTC}'
            )
        """
    ).fetchall()
    assert loose == []


def test_a_temporary_object_does_not_divert_the_service(db: Connection) -> None:
    db.execute("create domain pg_temp.text as integer check (false)")

    ingest_metrics(db, histogram([1, 2], [1, 2, 3], 9))
    assert query_agg(db, "latency")["sum"] == 9


def test_functions_that_read_are_stable_and_those_that_write_are_not(db: Connection) -> None:
    rows = db.execute(
        "select proname, provolatile from pg_proc where pronamespace = 'api'::regnamespace"
    ).fetchall()
    writing = {name for name, volatility in rows if volatility == "v"}
    reading = {name for name, volatility in rows if volatility == "s"}
    # What it notes while a statement runs is rolled back.
    writing.remove("query_sql")
    verbs = (
        *("query_", "list_", "get_", "stream_", "backtest_", "suggest_", "authenticate_"),
        *("plan_retention", "doctor", "describe_"),
    )
    assert all(name.startswith(verbs) for name in reading)
    assert all(not name.startswith(verbs) for name in writing)


def test_no_function_of_ours_is_for_everyone(db: Connection) -> None:
    # Beside the schemas, which nobody else may use: a grant of one opens no function.
    found = db.execute(
        "select p.oid::regprocedure::text from pg_proc as p"
        " inner join pg_namespace as n on p.pronamespace = n.oid"
        " where n.nspname in ('internal', 'api', 'ops')"
        " and has_function_privilege('public', p.oid, 'execute')"
    ).fetchall()
    assert found == []


@pytest.mark.parametrize(
    "schema", ["data", "internal", "api", "analytics", "ops", "deploy", "public"]
)
def test_everyone_may_create_nothing_and_use_no_schema_of_ours(db: Connection, schema: str) -> None:
    assert not ask(db, "select has_schema_privilege('public', %s, 'create')", schema)
    if schema != "public":
        assert not ask(db, "select has_schema_privilege('public', %s, 'usage')", schema)


def test_a_deployment_takes_back_what_everyone_was_granted(db: Connection) -> None:
    schemas = ["data", "internal", "api", "analytics", "ops", "deploy"]
    names = SQL(", ").join(map(Identifier, schemas))
    db.execute(SQL("grant usage on schema {} to public").format(names))
    db.execute("grant create on schema public to public")

    db.execute((sql_dir() / "grants.sql").read_bytes())

    assert not ask(db, "select has_schema_privilege('public', 'public', 'create')")
    used = (
        "select bool_or(has_schema_privilege('public', name, 'usage'))"
        " from unnest(%s::text[]) as name"
    )
    assert ask(db, used, schemas) is False
