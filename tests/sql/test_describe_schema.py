"""What a model that writes statements reads about analytics."""

from __future__ import annotations

from psycopg import Connection

from tests.sql.calls import Json, ask


def described(conn: Connection) -> Json:
    """The answer."""
    schema: Json = ask(conn, "select api.describe_schema()")
    return schema


def test_views_are_described_by_name_with_their_columns_in_order(db: Connection) -> None:
    views = described(db)["views"]

    shown: list[str] = ask(
        db,
        "select array_agg(relname::text) from pg_class"
        " where relnamespace = 'analytics'::regnamespace and relkind = 'v'",
    )
    assert list(views) == [f"analytics.{name}" for name in sorted(shown)]
    for name, view in views.items():
        columns = db.execute(f"select * from {name} limit 0".encode()).description or []
        names = [column.name for column in columns if column.name != "namespace"]
        assert [column.split(" ")[0] for column in view["columns"]] == names
        assert view["about"]
        assert all(view["columns"].values())


def test_functions_are_described_by_name(db: Connection) -> None:
    db.execute("create function analytics.aaa() returns integer language sql return 1")
    db.execute("comment on function analytics.aaa() is 'The newest one, and the first by name.'")
    functions = described(db)["functions"]

    names = [name.removeprefix("analytics.").partition("(")[0] for name in functions]
    assert names == sorted(names)
    assert names
    assert all(functions.values())


def test_relations_of_another_schema_or_sort_are_not_described(db: Connection) -> None:
    db.execute("create table analytics.not_a_view (a integer)")
    db.execute("create view internal.not_shown as select 1 as a")

    views = described(db)["views"]
    assert not any("not_" in name for name in views)
