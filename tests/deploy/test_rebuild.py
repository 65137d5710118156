"""Functions and views: the database has what the files say, and data is never touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from supervisor_mcp.deploy import DeployError, deploy
from tests.deploy.conftest import Ask
from tests.deploy.sample import SAMPLE, write

STANDING = """
select n.nspname || '.' || p.proname
from pg_proc as p inner join pg_namespace as n on p.pronamespace = n.oid
where n.nspname in ('internal', 'api', 'analytics', 'ops')
union all
select schemaname || '.' || viewname from pg_views where schemaname in ('analytics', 'ops')
"""
PLACES = (
    *("functions/internal", "functions/api", "functions/analytics", "functions/ops"),
    *("views/analytics", "views/ops"),
)


def function(name: str, signature: str, result: str, body: str) -> str:
    return f"create function {name}({signature}) returns {result} begin atomic {body}; end;"


@st.composite
def code(draw: st.DrawFn) -> dict[str, str]:
    """Functions and views that use each other without a cycle, under names in no useful order."""
    names = draw(st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=8, unique=True))
    places = {name: draw(st.sampled_from(PLACES)) for name in names}
    files = {}
    for number, name in enumerate(names):
        used = draw(st.sets(st.sampled_from(names[:number]))) if number else set()
        width = draw(st.sampled_from(["integer", "bigint"]))
        argument = draw(st.sampled_from(["p_one", "p_two"]))
        terms = ["1"]
        for other in sorted(used):
            relation = f"{places[other].split('/')[1]}.{other}"
            is_view = places[other].startswith("views/")
            terms.append(f"(select x from {relation})" if is_view else f"{relation}()")
        value = f"({' + '.join(terms)})::{width}"
        relation = f"{places[name].split('/')[1]}.{name}"
        files[f"{places[name]}/{name}.sql"] = (
            f"create view {relation} as select {value} as x;"
            if places[name].startswith("views/")
            else function(relation, f"{argument} {width} default 0", width, f"select {value}")
        )
    return files


def only(path: str) -> dict[str, str]:
    return {name: text for name, text in SAMPLE.items() if name.startswith(path)}


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(files=code())
def test_any_order_and_any_change_ends_at_what_the_files_say(
    empty_database: str, tmp_path_factory: pytest.TempPathFactory, ask: Ask, files: dict[str, str]
) -> None:
    sql_dir = tmp_path_factory.mktemp("sql")
    write(sql_dir, only("migrations/0001") | files)

    deploy(empty_database, sql_dir)

    expected = {".".join(path.removesuffix(".sql").split("/")[1:]) for path in files}
    assert {row[0] for row in ask(STANDING)} == expected
    assert not deploy(empty_database, sql_dir).changed


def test_function_whose_file_is_gone_is_gone(empty_database: str, sql_dir: Path, ask: Ask) -> None:
    deploy(empty_database, sql_dir)
    (sql_dir / "functions/api/query_sum.sql").unlink()

    report = deploy(empty_database, sql_dir)

    assert report.removed == ("functions/api/query_sum.sql",)
    assert ask("select from pg_proc where proname = 'query_sum'") == []
    assert not deploy(empty_database, sql_dir).changed


def test_trigger_function_whose_file_is_gone_is_refused_while_the_trigger_exists(
    empty_database: str, sql_dir: Path
) -> None:
    deploy(empty_database, sql_dir)
    (sql_dir / "functions/internal/refuse_change.sql").unlink()

    with pytest.raises(DeployError, match=r"was deleted but .* trigger refuse_change on table"):
        deploy(empty_database, sql_dir)

    write(
        sql_dir,
        {"migrations/0003_let_change.sql": "drop trigger refuse_change on data.series;"},
    )
    assert deploy(empty_database, sql_dir).changed


def test_trigger_function_gets_its_new_body(empty_database: str, sql_dir: Path, ask: Ask) -> None:
    deploy(empty_database, sql_dir)
    path = "functions/internal/refuse_change.sql"
    write(sql_dir, {path: SAMPLE[path].replace("'fixed'", "'firmly fixed'")})

    deploy(empty_database, sql_dir)

    source = "select prosrc ~ 'firmly fixed' from pg_proc where proname = 'refuse_change'"
    assert ask(source) == [(True,)]
    assert ask("select tgenabled::text from pg_trigger where tgname = 'refuse_change'") == [("O",)]


def test_what_data_depends_on_stays_with_its_rows(
    empty_database: str, sql_dir: Path, ask: Ask
) -> None:
    deploy(empty_database, sql_dir)
    ask("insert into data.series (source) values ('kept')")
    ask("insert into data.sample select now(), min(series_id), 4.5 from data.series")
    identity = "select 'internal.is_finite'::regproc::oid, 'data.sample_1d'::regclass::oid"
    before = ask(identity)
    write(sql_dir, {"views/analytics/facts.sql": "create view analytics.facts as select 1 as x;"})

    deploy(empty_database, sql_dir)

    assert ask(identity) == before
    assert ask("select total from data.sample_1d") == [(4.5,)]


def test_changed_signature_of_what_data_depends_on_is_refused_with_the_reason(
    empty_database: str, sql_dir: Path
) -> None:
    deploy(empty_database, sql_dir)
    text = (
        "create or replace function internal.is_finite(p_number double precision)"
        " returns boolean language sql immutable return p_number < 'infinity';"
    )
    write(sql_dir, {"functions/internal/is_finite.sql": text})

    with pytest.raises(
        DeployError,
        match=r"is_finite\.sql: 42P13: (.|\n)*in use by constraint sample_value_finite",
    ):
        deploy(empty_database, sql_dir)


def test_second_signature_beside_one_that_stays_is_refused(
    empty_database: str, sql_dir: Path
) -> None:
    deploy(empty_database, sql_dir)
    text = function("internal.is_finite", "p_value numeric", "boolean", "select true")
    write(sql_dir, {"functions/internal/is_finite.sql": text})

    with pytest.raises(DeployError, match=r"exists 2 times: .* in use by constraint"):
        deploy(empty_database, sql_dir)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (function("api.other", "", "integer", "select 1"), "x.sql does not create api.x"),
        (
            function("api.x", "", "integer", "select 1")
            + function("api.y", "", "integer", "select 1"),
            "api.y is created by a file of another name",
        ),
        (
            function("api.x", "", "integer", "select 1")
            + function("api.x", "p_one text", "integer", "select 1"),
            "api.x exists 2 times: one function per file",
        ),
    ],
)
def test_file_makes_the_one_thing_it_is_named_after(
    empty_database: str, sql_dir: Path, text: str, message: str
) -> None:
    write(sql_dir, {"functions/api/x.sql": text})

    with pytest.raises(DeployError, match=message):
        deploy(empty_database, sql_dir)


@pytest.mark.parametrize("path", ["functions/data/x.sql", "functions/x.sql", "views/api/x.sql"])
def test_file_outside_the_schemas_of_code_is_refused(
    empty_database: str, sql_dir: Path, path: str
) -> None:
    write(sql_dir, {path: "select 1;"})

    with pytest.raises(DeployError, match=rf"^{path} is not (functions|views)/<schema>/<name>"):
        deploy(empty_database, sql_dir)


def test_misspelt_name_is_reported_before_the_objects_that_need_it(
    empty_database: str, sql_dir: Path
) -> None:
    path = "functions/internal/b_sum.sql"
    write(sql_dir, {path: SAMPLE[path].replace("sum(total)", "sum(totl)")})

    with pytest.raises(DeployError) as refused:
        deploy(empty_database, sql_dir)

    lines = str(refused.value).splitlines()
    assert lines[0] == f'{path}:5: 42703: column "totl" does not exist'
    assert lines[-2:] == [
        "functions/internal/a_sum.sql waits for one of these",
        "functions/api/query_sum.sql waits for one of these",
    ]


def test_view_of_somebody_else_on_ours_survives(
    empty_database: str, sql_dir: Path, ask: Ask
) -> None:
    deploy(empty_database, sql_dir)
    ask("create schema if not exists reports")
    ask("create or replace view reports.mine as select source from analytics.metrics")
    path = "views/analytics/metrics.sql"
    write(sql_dir, {path: SAMPLE[path].replace(" from data", ", 1 as more from data")})
    try:
        deploy(empty_database, sql_dir)

        assert ask("select count(*) from reports.mine, analytics.metrics where more = 2") == [(0,)]
    finally:
        ask("drop schema reports cascade")


def test_job_runs_the_procedure_as_it_now_is(empty_database: str, sql_dir: Path, ask: Ask) -> None:
    deploy(empty_database, sql_dir)
    job = "select job_id from timescaledb_information.jobs where proc_name = 'count_samples'"
    before = ask(job)
    path = "functions/internal/count_samples.sql"
    write(sql_dir, {path: SAMPLE[path].replace("'counted'", "'counted again'")})

    deploy(empty_database, sql_dir)

    assert ask(job) == before
    ask(f"call run_job({before[0][0]})")
    assert ask("select count(*) > 0 from data.series where source = 'counted again'") == [(True,)]


def test_what_keeps_its_signature_is_replaced_in_place(
    empty_database: str, sql_dir: Path, ask: Ask
) -> None:
    deploy(empty_database, sql_dir)
    identity = "select oid from pg_proc where proname = 'b_sum'"
    before = ask(identity)
    path = "functions/internal/b_sum.sql"
    write(sql_dir, {path: SAMPLE[path].replace("sum(total)", "sum(total) + 1")})

    report = deploy(empty_database, sql_dir)

    assert report.code == (path,)
    assert ask(identity) == before


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("functions/internal/b_sum.sql", "returns double precision", "returns numeric"),
        ("functions/internal/b_sum.sql", "b_sum()", "b_sum(p_more integer default 0)"),
        ("views/analytics/metrics.sql", "series_id, source", "source, series_id"),
        ("views/analytics/metrics.sql", " from data", ", 1 as more from data"),
    ],
)
def test_what_gets_another_signature_is_dropped_with_what_depends_on_it(
    empty_database: str, sql_dir: Path, ask: Ask, path: str, old: str, new: str
) -> None:
    deploy(empty_database, sql_dir)
    identity = "select oid from pg_proc where proname in ('a_sum', 'query_sum') order by proname"
    before = ask(identity)
    text = SAMPLE[path].replace(old, new).replace(" default 0) is", ") is")
    write(sql_dir, {path: text})

    assert deploy(empty_database, sql_dir).code == (path,)

    assert len(set(ask(identity)) & set(before)) == 0
    assert ask("select api.query_sum('x')") == [({"sum": None},)]
    assert ask("select count(*) from pg_proc where proname ~ '^._sum$'") == [(2,)]
    assert not deploy(empty_database, sql_dir).changed


def test_an_additive_migration_replaces_in_place_unless_something_is_in_its_way(
    empty_database: str, sql_dir: Path, ask: Ask
) -> None:
    deploy(empty_database, sql_dir)
    identity = "select oid from pg_proc where proname = 'a_sum'"
    before = ask(identity)
    more = "-- Additive: more.\nalter table data.series add column more integer;"
    write(sql_dir, {"migrations/0003_more.sql": more})
    assert deploy(empty_database, sql_dir).migrations
    assert ask(identity) == before

    other = "-- Additive: longer.\nalter table data.series alter column source type varchar;"
    write(sql_dir, {"migrations/0004_other.sql": other})
    assert deploy(empty_database, sql_dir).migrations
    assert ask(identity) != before


def test_privileges_are_those_of_the_release(empty_database: str, sql_dir: Path, ask: Ask) -> None:
    deploy(empty_database, sql_dir)
    ask("grant execute on function internal.a_sum() to supervisor_dba")
    ask("grant select on analytics.metrics to public")
    path = "functions/internal/b_sum.sql"
    write(sql_dir, {path: SAMPLE[path].replace("sum(total)", "sum(total) + 1")})

    deploy(empty_database, sql_dir)

    has = "select has_function_privilege('supervisor_{}', '{}', 'execute')"
    assert ask(has.format("dba", "internal.a_sum()")) == [(False,)]
    assert ask(has.format("app", "api.query_sum(text, interval)")) == [(True,)]
    assert ask("select has_table_privilege('supervisor_app', 'analytics.metrics', 'select')") == [
        (False,)
    ]
