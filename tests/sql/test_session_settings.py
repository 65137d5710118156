"""Settings of a session that change how values are rendered change no answer."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import Connection

from tests.sql.calls import (
    NOW,
    Json,
    ago,
    ask,
    fact,
    ingest_facts,
    ingest_metrics,
    metric,
    query_agg,
    query_facts,
    receipt,
)

SETTINGS = [
    ("extra_float_digits", "-15"),
    ("intervalstyle", "sql_standard"),
    ("intervalstyle", "postgres_verbose"),
    ("intervalstyle", "iso_8601"),
    ("datestyle", "SQL, DMY"),
    ("datestyle", "German, DMY"),
    ("datestyle", "Postgres, MDY"),
    ("bytea_output", "escape"),
]
SERIES = """
select api.query_metrics(
    p_name => 'cpu', p_source => null, p_labels => null, p_from => %s, p_to => null,
    p_step => '90m', p_split_by => null, p_now => %s
)
"""


def put(db: Connection, setting: str, value: str) -> None:
    db.execute("select set_config(%s, %s, true)", [setting, value])


def answers(db: Connection) -> list[Json]:
    """What every query answers, and the cursor of a page."""
    return [
        query_agg(db, "cpu", "7d", group_by="source"),
        query_agg(db, None, "24h"),
        query_facts(db, limit=1),
        ask(db, SERIES, ago(hours=6), NOW),
        ask(db, "select api.list_kinds(null, null, null, null)"),
    ]


def store(db: Connection) -> list[Json]:
    """Store items that are rendered with many digits, and some that are refused."""
    return [
        ingest_metrics(db, [metric(value=1 / (n + 3), ts=ago(hours=n)) for n in range(5)]),
        ingest_facts(
            db, [fact(fact_id=str(n), value=1 / (n + 3), ts=ago(hours=n)) for n in range(5)]
        ),
        ingest_facts(db, fact(fact_id="1", value=2)),
    ]


@pytest.mark.parametrize(("setting", "value"), SETTINGS)
def test_a_setting_of_the_session_changes_no_answer(
    db: Connection, setting: str, value: str
) -> None:
    store(db)
    expected = answers(db)
    put(db, setting, value)
    assert answers(db) == expected


@pytest.mark.parametrize(("setting", "value"), SETTINGS)
def test_a_setting_of_the_session_changes_nothing_stored(
    db: Connection, setting: str, value: str
) -> None:
    put(db, setting, value)
    store(db)
    stored = answers(db)
    put(db, setting, ask(db, "select boot_val from pg_settings where name = %s", setting))
    assert ingest_facts(
        db, [fact(fact_id=str(n), value=1 / (n + 3), ts=ago(hours=n)) for n in range(5)]
    ) == receipt(0, duplicate=5)
    assert answers(db) == stored


def test_where_backslashes_escape_there_are_percentiles(database_url: str) -> None:
    options = "-c standard_conforming_strings=off"
    with psycopg.connect(database_url, options=options) as conn:
        store(conn)
        assert query_agg(conn, "cpu", "7d")["p50"] == pytest.approx(0.2, rel=0.01)
        conn.rollback()


def test_every_api_function_renders_in_utc_and_with_all_digits(db: Connection) -> None:
    lacking = db.execute(
        "select proname from pg_proc where pronamespace = 'api'::regnamespace"
        " and not coalesce(proconfig, '{}') @> '{TimeZone=UTC,extra_float_digits=1}'"
    ).fetchall()
    assert lacking == []
