"""The generated files: complete, the same everywhere, and compared with the database."""

from __future__ import annotations

from pathlib import Path

import pytest

from supervisor_mcp.deploy import deploy
from supervisor_mcp.reference import drift, generate, undocumented
from tests.deploy.conftest import Ask
from tests.deploy.sample import SAMPLE, write

HERE = Path(__file__).parent


def test_sample_reads_the_same_on_every_server(
    empty_database: str, sql_dir: Path, tmp_path: Path
) -> None:
    deploy(empty_database, sql_dir)

    assert generate(empty_database, tmp_path) == [
        tmp_path / "sql/schema.sql",
        tmp_path / "docs/sql-api.md",
        tmp_path / "app/supervisor_mcp/operations/text_rules.py",
        tmp_path / "app/supervisor_mcp/operations/documents.json",
    ]

    assert (sql_dir / "schema.sql").read_text() == (HERE / "sample_schema.sql").read_text()
    assert (tmp_path / "docs/sql-api.md").read_text() == (HERE / "sample_sql_api.md").read_text()
    rules = (tmp_path / "app/supervisor_mcp/operations/text_rules.py").read_text()
    assert 'UNIT: Final[dict[str, Any]] = {\n    "pattern": "^[a-z]+$",\n' in rules


def test_nothing_is_written_twice(empty_database: str, sql_dir: Path, tmp_path: Path) -> None:
    deploy(empty_database, sql_dir)
    generate(empty_database, tmp_path)

    assert generate(empty_database, tmp_path) == []
    assert drift(empty_database, tmp_path) == ""


def test_order_of_migrations_and_rebuilds_leaves_no_trace(
    empty_database: str, sql_dir: Path, tmp_path: Path
) -> None:
    path = "functions/internal/b_sum.sql"
    deploy(
        empty_database,
        write(
            sql_dir,
            {
                path: SAMPLE[path]
                .replace("b_sum() returns double precision", "b_sum() returns numeric")
                .replace("sum(total)", "sum(total)::numeric")
            },
        ),
    )
    deploy(empty_database, write(sql_dir, {path: SAMPLE[path]}))
    generate(empty_database, tmp_path)

    assert (sql_dir / "schema.sql").read_text() == (HERE / "sample_schema.sql").read_text()


@pytest.mark.parametrize(
    "change",
    [
        ("alter table data.series add note text", "+    note text,"),
        ("alter table data.series alter source drop not null", "-    source text not null"),
        ("create index extra on data.series (source)", "+create index extra on data.series"),
        ("alter table data.series drop constraint series_pk cascade", "-    constraint series_pk"),
        ("drop trigger refuse_change on data.series", "-create trigger refuse_change"),
        ("select set_chunk_time_interval('data.sample', interval '2 d')", "chunks of 2 days"),
        ("select remove_retention_policy('data.sample')", "-- data.sample: job"),
        (
            "alter materialized view data.sample_1h set (timescaledb.materialized_only = true)",
            "+-- materialised rows only",
        ),
        ("alter function internal.a_sum() volatile", "+create function internal.a_sum() "),
        ("grant select on data.sample to supervisor_app", "+grant select on table data.sample"),
        ("grant select on analytics.metrics to public", "+grant select on table analytics.metrics"),
        ("comment on function api.query_sum is 'Otherwise.'", "+Otherwise."),
        ("comment on column analytics.metrics.source is 'Other.'", "+| `source` | text | Other. |"),
    ],
)
def test_change_behind_the_files_is_drift(
    empty_database: str, sql_dir: Path, tmp_path: Path, ask: Ask, change: tuple[str, str]
) -> None:
    deploy(empty_database, sql_dir)
    generate(empty_database, tmp_path)

    ask(change[0])

    assert change[1] in drift(empty_database, tmp_path)


def test_objects_without_a_comment_are_named(empty_database: str, sql_dir: Path, ask: Ask) -> None:
    deploy(empty_database, sql_dir)
    assert undocumented(empty_database) == []

    ask("comment on schema ops is null")
    ask("comment on table data.series is null")
    ask("comment on view data.sample_1h is null")
    ask("comment on function api.query_sum is null")
    ask("comment on column analytics.metrics.source is ' '")

    assert sorted(undocumented(empty_database)) == [
        "aggregate data.sample_1h",
        "column analytics.metrics.source",
        "function api.query_sum(p_source text, p_window interval)",
        "schema ops",
        "table data.series",
    ]
