"""Functions and views are created each after those that they name."""

from __future__ import annotations

import psycopg
import pytest

from supervisor_mcp.deploy import deploy, rebuild, shipped_sql_dir
from supervisor_mcp.deploy.order import in_order
from supervisor_mcp.deploy.tree import SqlFile, read_tree


def file(name: str, text: str) -> SqlFile:
    return SqlFile(f"functions/internal/{name}.sql", text)


def order(*files: SqlFile) -> str:
    return " ".join(each.relation.removeprefix("internal.") for each in in_order(files))


def test_named_ones_come_first() -> None:
    files = file("a", "select internal.c()"), file("b", ""), file("c", "from INTERNAL.B")

    assert order(*files) == "b c a"


@pytest.mark.parametrize(
    "text",
    ["-- internal.b()", "/* internal.b() */", "comment is 'as\ninternal.b()'", "internal.bb"],
)
def test_names_in_comments_and_texts_do_not_count(text: str) -> None:
    assert order(file("a", text), file("b", "")) == "a b"


def test_a_circle_gives_way_where_names_are_looked_up_later() -> None:
    late = file("a", "as $body$ select internal.b() $body$")
    early = file("b", "begin atomic select internal.a(); end")

    assert order(early, late) == order(late, early) == "a b"


def test_the_shipped_files_are_created_in_one_pass(empty_database: str) -> None:
    deploy(empty_database, shipped_sql_dir())
    files = read_tree(shipped_sql_dir()).code

    with (
        psycopg.connect(empty_database, prepare_threshold=None) as conn,
        conn.transaction(force_rollback=True),
    ):
        rebuild.drop(conn)
        assert rebuild.create(conn, files) == 1
