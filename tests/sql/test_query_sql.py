"""query_sql: what a statement of a client may do, which is to read the views of its namespace."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import Connection

from tests.sql.calls import Json, ask, refused
from tests.support.tenants import ACME, TENANTS, UMBRELLA


@pytest.fixture(scope="module")
def filled(lasting: Connection) -> Connection:
    """A database in which every tenant has something."""
    with lasting.transaction():
        for tenant in TENANTS:
            tenant.fill(lasting)
    return lasting


@pytest.fixture
def acme(filled: Connection) -> Iterator[Connection]:
    """A transaction as the service opens it for acme."""
    with filled.transaction(force_rollback=True):
        filled.execute("select set_config('supervisor.namespace', %s, true)", [ACME.namespace])
        filled.execute("set local role supervisor_app")
        yield filled


def query(conn: Connection, sql: str, limit: int | None = None) -> Json:
    """The answer; all that the statement did is undone."""
    with conn.transaction(force_rollback=True):
        answer: Json = ask(conn, "select api.query_sql(%s, %s)", sql, limit)
    return answer


def run(conn: Connection, sql: str) -> Json:
    """The answer to a statement that has passed the check of what it names."""
    with conn.transaction(force_rollback=True):
        conn.execute("reset role")
        conn.execute("insert into data.statement values (pg_backend_pid(), internal.namespace())")
        conn.execute("select set_config('transaction_read_only', 'on', true)")
        answer: Json = ask(conn, "select internal.run_statement(%s, 100, 900000)", sql)
    return answer


def test_the_answer_has_names_and_rows_in_their_order(acme: Connection) -> None:
    assert query(acme, "select 1 as b, 'x' as a, null as c union all select 2, 'y', true") == {
        "columns": ["b", "a", "c"],
        "rows": [[1, "x", None], [2, "y", True]],
        "truncated": False,
    }


def test_columns_of_one_name_keep_their_values(acme: Connection) -> None:
    answer = query(acme, "select 1 as a, 2 as a")
    assert (answer["columns"], answer["rows"]) == (["a", "a"], [[1, 2]])


@pytest.mark.parametrize("end", ["", " ;\n", " -- none", "\n;;"])
def test_an_answer_without_rows_has_the_names_of_its_columns(acme: Connection, end: str) -> None:
    assert query(acme, f"select kind, 1 as b from kinds where false{end}") == {
        "columns": ["kind", "b"],
        "rows": [],
        "truncated": False,
    }


@pytest.mark.parametrize("sql", ["", " ;\n;", "-- none", "/* none\n at all */ ;"])
def test_an_empty_statement_is_refused(acme: Connection, sql: str) -> None:
    with refused(acme, "statement_present") as refusal:
        query(acme, sql)
    assert refusal.column == "sql"


def test_a_statement_after_a_comment_is_none_of_it(acme: Connection) -> None:
    assert query(acme, "/* a */ select '-- */' as b -- c")["rows"] == [["-- */"]]


def test_rows_without_columns_are_empty_arrays(acme: Connection) -> None:
    answer = query(acme, "select from generate_series(1, 2)")
    assert (answer["columns"], answer["rows"]) == ([], [[], []])


def test_what_follows_a_statement_without_rows_is_no_error(acme: Connection) -> None:
    assert query(acme, "select 1 as a where false; -- none")["rows"] == []


def test_the_names_of_an_empty_answer_cost_no_second_run(acme: Connection) -> None:
    # With rows it would fail.
    sql = "select 1 / (count(*) - 7) as a from generate_series(1, 7) having count(*) < 7"
    assert query(acme, sql)["columns"] == ["a"]


def test_rows_beyond_the_limit_are_left_out(acme: Connection) -> None:
    assert query(acme, "select * from generate_series(1, 3)", 2) == {
        "columns": ["generate_series"],
        "rows": [[1], [2]],
        "truncated": True,
    }
    assert not query(acme, "select * from generate_series(1, 2)", 2)["truncated"]


def test_an_answer_has_100_rows_where_no_limit_is_sent(acme: Connection) -> None:
    answer = query(acme, "select * from generate_series(1, 101)")
    assert (len(answer["rows"]), answer["truncated"]) == (100, True)


def test_rows_beyond_the_bytes_of_an_answer_are_left_out(acme: Connection) -> None:
    answer = query(acme, "select repeat('x', 400000) from generate_series(1, 5)", 5)
    assert (len(answer["rows"]), answer["truncated"]) == (2, True)


@pytest.mark.parametrize("limit", [0, 1001])
def test_a_limit_out_of_range_is_refused(acme: Connection, limit: int) -> None:
    with refused(acme, "limit_in_range") as refusal:
        query(acme, "select 1", limit)
    assert refusal.hint == "Send 1 to 1000."


def test_names_need_no_schema(acme: Connection) -> None:
    assert query(acme, "select count(*) from kinds")["rows"][0][0] > 0


VIEWS = """
select relname::text from pg_class
where relnamespace = 'analytics'::regnamespace and relkind = 'v' order by 1
"""


def test_a_statement_sees_its_namespace_and_no_other(acme: Connection) -> None:
    acme.execute("reset role")
    views = [name for (name,) in acme.execute(VIEWS).fetchall()]
    acme.execute("set local role supervisor_app")
    for view in views:
        text = str(query(acme, f"select to_jsonb(v) as row from analytics.{view} as v", 1000))
        assert UMBRELLA.word not in text, view
    assert ACME.word in str(query(acme, "select * from analytics.kinds"))


@pytest.mark.parametrize(
    "escape",
    [
        "set_config('supervisor.namespace', 'umbrella', true)",
        "set_config('supervisor.namespace', '', false)",
        "set_config('search_path', 'data', true)",
        "set_config('supervisor.actor', 'root', true)",
    ],
)
def test_no_setting_shows_another_namespace(acme: Connection, escape: str) -> None:
    answer = run(
        acme,
        f"select {escape}, query_to_xml('select * from analytics.kinds', true, true, '')::text",
    )
    assert UMBRELLA.word not in str(answer)


@pytest.mark.parametrize(
    ("sql", "state"),
    [
        ("insert into analytics.kinds default values", "55000"),
        ("delete from data.every_kind", "42501"),
        ("with gone as (delete from analytics.kinds returning 1) select * from gone", "55000"),
        ("select * from data.every_kind", "42501"),
        ("select internal.shown_namespaces()", "42501"),
        ("select api.list_keys(null, null, null, now())", "42501"),
        ("select ops.bind_login('x', '{}')", "42501"),
        ("select set_config('role', 'none', true)", "42501"),
        ("select set_config('role', 'supervisor_app', true)", "42501"),
        ("select set_config('session_authorization', 'postgres', true)", "42501"),
        ("select set_config('transaction_read_only', 'off', true)", "25001"),
        ("select lo_create(0)", "25006"),
        ("select lo_from_bytea(0, 'x')", "25006"),
        ("select nextval('data.late_late_id_seq')", "42501"),
        ("select pg_read_file('/etc/passwd')", "42501"),
        ("select * from pg_authid", "42501"),
        ("select query_to_xml('delete from data.statement', true, true, '')", "42501"),
        ("select 1; select 2", "42P11"),
        ("commit", "42P11"),
        ("set role none", "42P11"),
        ("copy (select 1) to '/tmp/x'", "42P11"),
        ("do $$ begin perform 1; end $$", "42P11"),
        ("explain analyze select * from analytics.kinds", "0A000"),
        ("show all", "0A000"),
        ("selec 1", "42601"),
        ("", "42P11"),
        ("select 1/0", "22012"),
        ("select add_job('pg_sleep', '1h')", "25006"),
    ],
)
def test_a_statement_does_nothing_but_read_the_views(
    acme: Connection, sql: str, state: str
) -> None:
    with pytest.raises(psycopg.Error) as raised, acme.transaction():
        run(acme, sql)
    assert raised.value.sqlstate == state, raised.value


@pytest.mark.parametrize(
    "sql",
    [
        "select pg_sleep(1)",
        "select PG_Sleep(1)",
        'select pg_catalog . "pg_sleep" (1)',
        "select /* */ pg_advisory_lock(1)",
        "select $a$x$a$, pg_try_advisory_xact_lock(1)",
        "select $$x$pg_sleep$$",
        "select pg_logical_emit_message(false, 'a', 'b')",
        "select pg_notify('a', 'b')",
        "select set_config('work_mem', '1GB', false)",
        "select query_to_xml('select 1', true, true, '')",
        "select ('select 1'::text).ts_stat",
        'select U&"pg\\005fsleep"(1)',
        "select u&\"pg!005fsleep\" uescape '!' (1)",
        "select add_job('a', '1h')",
    ],
)
def test_a_statement_names_no_function_that_does_more_than_read(acme: Connection, sql: str) -> None:
    with refused(acme, "statement_reads") as refusal:
        query(acme, sql)
    assert refusal.column == "sql"
    assert refusal.hint


@pytest.mark.parametrize("name", ["heartbeat", "system"])
def test_a_text_may_have_the_name_of_a_function_that_no_statement_calls(
    acme: Connection, name: str
) -> None:
    assert query(acme, f"select '{name}' as kind")["rows"] == [[name]]


def test_a_statement_may_fill_gaps_and_draw_at_random(acme: Connection) -> None:
    answer = query(
        acme,
        "select time_bucket_gapfill('1 hour', ts, now() - interval '3 hours', now()) as hour,"
        " locf(avg(value)) as value, random() < 2 as drawn"
        " from (values (now() - interval '2 hours', 1)) as sample (ts, value)"
        " where ts > now() - interval '3 hours' and ts < now() group by 1, 3",
    )
    assert answer["columns"] == ["hour", "value", "drawn"]


LIMITS = "select " + ", ".join(
    f"current_setting('{name}')" for name in ("work_mem", "hash_mem_multiplier", "temp_file_limit")
)


def test_a_statement_has_limits_of_memory_and_of_temporary_files(acme: Connection) -> None:
    acme.execute("set local work_mem = '1GB'")
    assert query(acme, LIMITS)["rows"] == [["16MB", "1", "1GB"]]


def test_smaller_limits_of_the_server_stay(acme: Connection) -> None:
    acme.execute("reset role")
    acme.execute("set local work_mem = '2MB'")
    acme.execute("set local temp_file_limit = '100MB'")
    acme.execute("set local role supervisor_app")
    assert query(acme, LIMITS)["rows"] == [["2MB", "1", "100MB"]]


def test_an_owner_who_may_not_limit_temporary_files_still_answers(acme: Connection) -> None:
    acme.execute("reset role")
    acme.execute("create role plain_owner")
    acme.execute("grant all on schema internal to plain_owner")
    acme.execute("alter function internal.limit_statement() owner to plain_owner")
    acme.execute("alter function internal.limit_statement() security definer")
    acme.execute("set local role supervisor_app")
    assert query(acme, LIMITS)["rows"][0][2] == "-1"


def test_a_statement_that_would_write_10_gb_of_temporary_files_ends(acme: Connection) -> None:
    acme.execute("reset role")
    acme.execute("set local temp_file_limit = '4MB'")
    acme.execute("set local role supervisor_app")
    sql = "select n from generate_series(1, 10000000) as n order by repeat(md5(n::text), 30)"
    with pytest.raises(psycopg.errors.ConfigurationLimitExceeded), acme.transaction():
        query(acme, sql)
    assert query(acme, "select 1")["rows"] == [[1]]


def test_without_its_function_nothing_runs(acme: Connection) -> None:
    acme.execute("reset role")
    acme.execute("drop function internal.run_statement")
    with refused(acme, "statement_runner_owned"):
        query(acme, "select 1")


def test_what_a_statement_sets_is_gone(acme: Connection) -> None:
    before = ask(acme, "select current_setting('work_mem')")
    run(acme, "select set_config('work_mem', '1GB', false)")
    assert ask(acme, "select current_setting('work_mem')") == before


def test_without_its_owner_nothing_runs(acme: Connection) -> None:
    acme.execute("reset role")
    acme.execute(
        "alter function internal.run_statement(text, integer, integer) owner to current_user"
    )
    with refused(acme, "statement_runner_owned"):
        query(acme, "select 1")


def test_the_schema_describes_every_column_in_few_words(acme: Connection) -> None:
    schema = ask(acme, "select api.describe_schema()")
    assert schema["views"]["analytics.kinds"]["columns"]["kind text"] == (
        "Metric name or Fact:<Name>."
    )
    assert "percentile" in str(schema["functions"])
    assert len(str(schema)) < 30_000


def test_the_examples_of_the_schema_run(acme: Connection) -> None:
    for example in ask(acme, "select api.describe_schema()")["examples"]:
        assert not query(acme, example)["truncated"]
