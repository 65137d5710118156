"""The service's own login works as supervisor_app, and as nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg import Connection
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from supervisor_mcp.db import Database
from supervisor_mcp.deploy import deploy, login_of, owner_among, shipped_sql_dir
from supervisor_mcp.deploy.logins import admit
from supervisor_mcp.errors import Problem

ESCAPES = [
    "select * from data.sample",
    "reset role; select * from data.sample",
    "set role postgres",
    "set role supervisor_dba",
    "set session authorization postgres",
    "select set_config('role', 'postgres', false)",
    "select internal.oldest_chunk('sample')",
    "drop function api.list_kinds",
    "create table public.mine ()",
    "select * from deploy.release",
    "select * from ops.policies",
]


def connect(url: str) -> Connection:
    return psycopg.connect(url, autocommit=True, prepare_threshold=None)


@pytest.fixture
def owner(fresh_database: str) -> Iterator[Connection]:
    """A superuser on a deployed database."""
    with connect(fresh_database) as conn:
        yield conn


@pytest.fixture
def login(owner: Connection) -> Iterator[str]:
    """A role that may log in, and nothing else."""
    name = f"login_{uuid4().hex[:12]}"
    owner.execute(SQL("create role {} login").format(Identifier(name)))
    yield name
    owner.execute(SQL("drop owned by {0}; drop role {0}").format(Identifier(name)))


def test_a_deploy_lets_the_login_of_the_service_work_as_its_role_and_nothing_else(
    fresh_database: str, login: str
) -> None:
    report = deploy(fresh_database, shipped_sql_dir(), service=login)

    assert not [warning for warning in report.warnings if login in warning]
    assert not report.changed
    with connect(make_conninfo(fresh_database, user=login)) as service:
        service.execute("begin; set local role supervisor_app")
        service.execute("select api.list_kinds(null, null, null, null)")
        service.execute("commit; set role supervisor_app")
        for escape in ESCAPES:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                service.execute(escape)


def test_a_login_that_does_not_exist_is_a_warning_with_the_statement(fresh_database: str) -> None:
    report = deploy(fresh_database, shipped_sql_dir(), service="Nobody")

    (warning,) = [warning for warning in report.warnings if "Nobody" in warning]
    assert warning.endswith('grant supervisor_app to "Nobody"')


def test_what_an_owner_may_not_grant_is_a_warning_for_an_administrator(
    fresh_database: str, login: str
) -> None:
    with connect(make_conninfo(fresh_database, user=login)) as conn:
        assert admit(conn, login) == (
            f'an administrator of the database has to run: grant supervisor_app to "{login}"',
        )


async def test_a_service_whose_login_may_call_nothing_is_not_ready(
    fresh_database: str, login: str
) -> None:
    as_service = make_conninfo(fresh_database, user=login)
    database = Database(as_service, pool_size=1, statement_timeout_seconds=5)
    with pytest.raises(Problem):
        await database.probe()
    with connect(fresh_database) as conn:
        admit(conn, login)
    await database.probe()
    await database.close()


def test_a_service_that_logs_in_as_the_owner_is_noticed(fresh_database: str, login: str) -> None:
    assert owner_among(fresh_database) == login_of(fresh_database)
    assert owner_among(make_conninfo(fresh_database, user=login)) is None


def test_the_login_of_a_dsn_without_a_user_is_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PGUSER", "ann")

    assert login_of("host=127.0.0.1 dbname=supervisor") == "ann"
    assert login_of("postgresql://bob@127.0.0.1/supervisor") == "bob"
