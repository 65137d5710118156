"""What a deployed database holds, to bring it back to that and to see whether it is back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

from psycopg import Connection
from psycopg.sql import SQL, Composed, Identifier, Literal

Table = tuple[str, str]

# Tables of the product, and those in which TimescaleDB notes its jobs, chunks and aggregates.
TABLES = """
select relnamespace::regnamespace::text, relname
from pg_class
where
    relkind in ('r', 'p')
    and oid >= 16384
    and relnamespace::regnamespace::text !~ '^(pg_|information_schema$)'
order by 1, 2
"""
HYPERTABLES = "select hypertable_schema, hypertable_name from timescaledb_information.hypertables"
AGGREGATES = "select view_schema, view_name from timescaledb_information.continuous_aggregates"
SEQUENCES = "select schemaname, sequencename, last_value from pg_sequences"

# Objects without what changes with their rows. The version of a row stands for its content.
OBJECTS = """
select md5(string_agg(object, '|' order by object))
from (
    select row(
        oid, relname, relnamespace, relkind, relowner, relacl, reloptions, relnatts, relchecks,
        relhasrules, relrowsecurity
    )::text
    from pg_class where oid >= 16384
    union all select row(1, attrelid, attnum, xmin)::text from pg_attribute where attrelid >= 16384
    union all select row(2, oid, xmin)::text from pg_attrdef
    union all select row(3, oid, xmin)::text from pg_authid
    union all select row(4, roleid, member, xmin)::text from pg_auth_members
    union all select row(5, oid, xmin)::text from pg_constraint
    union all select row(6, oid, xmin)::text from pg_default_acl
    union all select row(7, oid, xmin)::text from pg_extension
    union all select row(8, oid, xmin)::text from pg_namespace
    union all select row(9, oid, xmin)::text from pg_proc
    union all select row(10, oid, xmin)::text from pg_rewrite
    union all select row(11, setdatabase, setrole, xmin)::text from pg_db_role_setting
    union all select row(12, oid, xmin)::text from pg_trigger
    union all select row(13, oid, xmin)::text from pg_type
    union all select row(14, oid, xmin)::text from pg_policy
) as objects (object)
"""


@dataclass(frozen=True)
class State:
    """Rows of all tables as text, values of all sequences, and a digest of all objects."""

    rows: dict[Table, list[str]]
    sequences: dict[Table, int | None]
    objects: str


def read(conn: Connection) -> State:
    """What the database holds now."""
    tables: list[Table] = conn.execute(TABLES).fetchall()
    rows = conn.execute(SQL(" union all ").join(map(_rows, enumerate(tables)))).fetchall()
    (digest,) = conn.execute(OBJECTS).fetchall()
    return State(
        rows={tables[number]: found for number, found in rows},
        sequences={
            (schema, name): value for schema, name, value in conn.execute(SEQUENCES).fetchall()
        },
        objects=digest[0],
    )


def restore(conn: Connection, state: State) -> bool:
    """Empty the tables and put back what `state` holds; whether the database is then the same.

    It is not where a table, a function, a role or another object was changed.
    """
    # Rules for those who use the database would refuse what follows.
    conn.execute("set session_replication_role = replica")
    _truncate(conn, _filled(conn, [table for table in state.rows if table[0] == "data"]))
    if conn.execute("select from _timescaledb_catalog.chunk limit 1").fetchall():
        _truncate(conn, conn.execute(HYPERTABLES).fetchall())
        for aggregate in conn.execute(AGGREGATES).fetchall():
            _truncate(conn, [aggregate])
    # A plan depends on what the last test analyzed.
    conn.execute("delete from pg_catalog.pg_statistic where starelid >= 16384")
    now = read(conn)
    for table, rows in state.rows.items():
        if now.rows.get(table) != rows:
            _refill(conn, table, rows)
    for (schema, name), value in state.sequences.items():
        if now.sequences.get((schema, name)) != value:
            qualified = Identifier(schema, name).as_string()
            if value is None:
                conn.execute(SQL("alter sequence {} restart").format(Identifier(schema, name)))
            else:
                conn.execute("select setval(%s, %s)", [qualified, value])
    conn.execute("reset session_replication_role")
    return read(conn) == state


def _rows(numbered: tuple[int, Table]) -> Composed:
    number, table = numbered
    return SQL(
        "select {}, coalesce(array_agg(each::text order by each::text), '{{}}') from {} as each"
    ).format(Literal(number), Identifier(*table))


def _filled(conn: Connection, tables: list[Table]) -> list[Table]:
    question = SQL(" union all ").join(
        SQL("select {} where exists (select from {})").format(Literal(number), Identifier(*table))
        for number, table in enumerate(tables)
    )
    return [tables[number] for (number,) in conn.execute(question).fetchall()]


def _truncate(conn: Connection, tables: list[Table]) -> None:
    if tables:
        names = SQL(", ").join(Identifier(*table) for table in tables)
        conn.execute(SQL("truncate {} cascade").format(names))


def _refill(conn: Connection, table: Table, rows: list[str]) -> None:
    name = Identifier(*table)
    conn.execute(SQL("delete from {}").format(name))
    if rows:
        statement: LiteralString = (
            "insert into {0} overriding system value select each.* from unnest(%s::{0}[]) as each"
        )
        conn.execute(SQL(statement).format(name), [rows])
