"""A deploy as a whole: everything once, nothing the second time, all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from supervisor_mcp.deploy import DeployError, Report, deploy, run, shipped_sql_dir
from tests.deploy.conftest import Ask
from tests.deploy.sample import SAMPLE, write
from tests.support.timescaledb import Server
from tests.support.waiting import eventually


def test_applies_every_file_and_reports_it(empty_database: str, sql_dir: Path) -> None:
    report = deploy(empty_database, sql_dir)

    done = (*report.migrations, *report.code, *report.policies, *report.grants)
    assert sorted(done) == sorted(SAMPLE)
    assert str(report).startswith("applied migrations/0001_schemas.sql\n")


def test_second_time_changes_nothing(empty_database: str, sql_dir: Path, ask: Ask) -> None:
    deploy(empty_database, sql_dir)
    state = "select oid, xmin::text from pg_proc union all select oid, xmin::text from pg_class"
    before = ask(state)

    report = deploy(empty_database, sql_dir)

    assert report == Report()
    assert str(report) == "nothing to do"
    assert ask(state) == before


def test_line_ends_of_the_checkout_make_no_change(empty_database: str, sql_dir: Path) -> None:
    deploy(empty_database, sql_dir)
    for path in sql_dir.rglob("*.sql"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

    assert not deploy(empty_database, sql_dir).changed


@pytest.mark.parametrize(
    "path",
    [
        "migrations/0003_broken.sql",
        "functions/api/broken.sql",
        "views/analytics/broken.sql",
        "policies/broken.sql",
        "grants.sql",
    ],
)
def test_failure_names_the_line_and_leaves_nothing(
    empty_database: str, sql_dir: Path, ask: Ask, path: str
) -> None:
    write(sql_dir, {path: "select 1;\n\nselect 1 / 0\nas x, y from\nfrom z;\n"})

    with pytest.raises(DeployError, match=rf"^{path}:5: 42601: syntax error"):
        deploy(empty_database, sql_dir)

    assert ask("select from pg_namespace where nspname in ('data', 'api', 'deploy')") == []


def test_failure_is_described_as_the_server_describes_it(
    empty_database: str, sql_dir: Path
) -> None:
    text = "raise exception 'no' using errcode = 'SV409', detail = 'Why.', hint = 'What next.';"
    write(sql_dir, {"policies/broken.sql": f"do $$ begin {text} end $$;"})

    with pytest.raises(DeployError) as refused:
        deploy(empty_database, sql_dir)

    assert str(refused.value).splitlines() == [
        "policies/broken.sql: SV409: no",
        "  detail: Why.",
        "  hint: What next.",
        "  context: PL/pgSQL function inline_code_block line 1 at RAISE",
    ]


def test_grants_alone_are_deployed(empty_database: str, sql_dir: Path, ask: Ask) -> None:
    deploy(empty_database, sql_dir)
    more = "grant usage on schema ops to supervisor_analyst;\n"
    write(sql_dir, {"grants.sql": SAMPLE["grants.sql"] + more})

    assert deploy(empty_database, sql_dir) == Report(grants=("grants.sql",))

    assert ask("select has_schema_privilege('supervisor_analyst', 'ops', 'usage')") == [(True,)]
    assert deploy(empty_database, sql_dir) == Report()


@pytest.fixture
def refusing(sql_dir: Path, ask: Ask) -> Iterator[Callable[[str], None]]:
    """Add a migration that the server refuses the first two times, with a given SQLSTATE."""
    ask("create schema attempts")
    ask("create sequence attempts.number")

    def refuse(state: str) -> None:
        text = (
            "do $$ begin if nextval('attempts.number') < 3 then"
            f" raise exception 'not now' using errcode = '{state}'; end if; end $$;"
        )
        write(sql_dir, {"migrations/0003_more.sql": text})

    yield refuse
    ask("drop schema attempts cascade")


@pytest.mark.parametrize("state", ["40P01", "55P03", "XX000"], ids=["deadlock", "lock", "catalog"])
def test_what_others_are_in_the_way_of_is_tried_again_after_a_pause(
    empty_database: str,
    sql_dir: Path,
    ask: Ask,
    refusing: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    state: str,
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    refusing(state)

    assert deploy(empty_database, sql_dir).changed

    assert ask("select last_value from attempts.number") == [(3,)]
    assert len(pauses) == 2
    assert all(0 <= pause < run.PAUSE_SECONDS for pause in pauses)


@pytest.mark.parametrize(("state", "seconds"), [("22012", 300.0), ("40P01", -1.0)])
def test_what_is_wrong_or_goes_on_for_too_long_is_not_tried_again(
    empty_database: str,
    sql_dir: Path,
    ask: Ask,
    refusing: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    state: str,
    seconds: float,
) -> None:
    monkeypatch.setattr(run, "RETRY_SECONDS", seconds)
    refusing(state)

    with pytest.raises(DeployError, match=f"0003_more.sql: {state}: not now"):
        deploy(empty_database, sql_dir)

    assert ask("select last_value from attempts.number") == [(1,)]


def test_failure_leaves_the_deployed_state(empty_database: str, sql_dir: Path, ask: Ask) -> None:
    deploy(empty_database, sql_dir)
    write(
        sql_dir,
        {
            "migrations/0003_more.sql": "create table data.more (id integer);",
            "grants.sql": "grant select on data.absent to public;",
        },
    )

    with pytest.raises(DeployError, match=r"^grants\.sql: 42P01"):
        deploy(empty_database, sql_dir)

    assert ask("select to_regclass('data.more')::text") == [(None,)]
    assert ask("select count(*) from deploy.migration") == [(2,)]
    assert ask("select api.query_sum('x')") == [({"sum": None},)]


@pytest.mark.parametrize("text", ["commit;", "rollback; begin;", "commit; begin; select 1;"])
def test_file_that_ends_the_transaction_is_refused_by_name(
    empty_database: str, sql_dir: Path, text: str
) -> None:
    write(sql_dir, {"functions/api/ends.sql": text})

    with pytest.raises(DeployError, match=r"^functions/api/ends\.sql begins or ends a transaction"):
        deploy(empty_database, sql_dir)


def test_names_do_not_depend_on_the_search_path_of_the_session(
    empty_database: str, sql_dir: Path
) -> None:
    elsewhere = make_conninfo(empty_database, options="-c search_path=pg_catalog")

    assert deploy(elsewhere, sql_dir).changed


def test_folder_without_migrations_is_refused(empty_database: str, tmp_path: Path) -> None:
    with pytest.raises(DeployError, match="holds no folder migrations/"):
        deploy(empty_database, tmp_path)


def test_twenty_at_once_apply_each_file_once(empty_database: str, sql_dir: Path, ask: Ask) -> None:
    write(
        sql_dir,
        {"migrations/0003_count.sql": "insert into data.series (source) values ('once');"},
    )

    with ThreadPoolExecutor(20) as pool:
        reports = list(pool.map(lambda _: deploy(empty_database, sql_dir), range(20)))

    assert sorted(report.changed for report in reports) == [False] * 19 + [True]
    assert ask("select count(*) from data.series where source = 'once'") == [(1,)]
    assert ask("select count(*) from deploy.migration") == [(3,)]


@pytest.mark.native_only("the embedded server has one database")
def test_databases_of_one_cluster_deploy_at_once(database_server: Server, tmp_path: Path) -> None:
    role = f"supervisor_test_{uuid4().hex[:12]}"
    files = {
        path: text.replace("'supervisor_dba']", f"'supervisor_dba', '{role}']")
        for path, text in SAMPLE.items()
    }
    sql_dir = write(tmp_path / "sql", files)

    with database_server.empty() as one, database_server.empty() as two:
        with ThreadPoolExecutor(2) as pool:
            reports = list(pool.map(lambda url: deploy(url, sql_dir), (one, two)))
        with psycopg.connect(one, autocommit=True) as conn:
            conn.execute(f"drop role {role}".encode())

    assert all(report.changed for report in reports)


@pytest.mark.native_only("the embedded server has one role to log in as")
@pytest.mark.parametrize("shipped", [False, True])
def test_owner_who_is_no_superuser_can_deploy(
    database_server: Server, empty_database: str, sql_dir: Path, shipped: bool
) -> None:
    sql_dir = shipped_sql_dir() if shipped else sql_dir
    deploy(empty_database, sql_dir)  # makes the roles of the cluster
    owner = f"supervisor_test_{uuid4().hex[:12]}"
    with database_server.empty() as url, psycopg.connect(url, autocommit=True) as conn:
        conn.execute("create extension timescaledb")
        conn.execute(f"create role {owner} login password '{owner}'".encode())
        conn.execute(f"grant create on database {conn.info.dbname} to {owner}".encode())
        as_owner = make_conninfo(url, user=owner, password=owner)

        first, second = deploy(as_owner, sql_dir), deploy(as_owner, sql_dir)

        assert (first.changed, second.changed) == (True, False)
        conn.execute("select delete_job(job_id) from timescaledb_information.jobs")
        conn.execute(f"drop owned by {owner} cascade; drop role {owner}".encode())


@pytest.mark.native_only("the embedded server runs one transaction at a time")
def test_a_deploy_gives_way_to_who_holds_a_lock_and_tries_again(
    empty_database: str, sql_dir: Path, ask: Ask
) -> None:
    deploy(empty_database, sql_dir)
    text = "-- Additive: more.\nalter table data.series add column more integer;"
    write(sql_dir, {"migrations/0003_more.sql": text})
    refused = "select sum(deadlocks + xact_rollback) from pg_stat_database"
    with ThreadPoolExecutor(1) as pool, psycopg.connect(empty_database) as holding:
        holding.execute("select from data.series")
        before = ask(refused)
        deployed = pool.submit(deploy, empty_database, sql_dir)
        eventually(lambda: ask(refused) > before, "a deploy that gave way")
        holding.commit()
        assert deployed.result().migrations
