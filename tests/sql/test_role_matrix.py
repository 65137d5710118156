"""Every role and every object: what may be done is what docs/access.md says, and no more."""

from __future__ import annotations

import re

from psycopg import Connection

from tests.sql.calls import fact, histogram, ingest_facts, ingest_metrics, metric
from tests.support.repository import ROOT

ROLES = ("public", "supervisor_app", "supervisor_analyst", "supervisor_dba")
Matrix = dict[tuple[str, str], tuple[str, ...]]

# Objects of extensions are theirs. A privilege on a column counts as one on its relation.
HELD = """
with
object (name, schema, kind, oid, privileges) as (
    select nspname, nspname, 'schema', oid, '{usage,create}'::text[]
    from pg_namespace
    union all
    select
        format('%%s.%%s', relnamespace::regnamespace, relname), relnamespace::regnamespace::text,
        case relkind when 'S' then 'sequence' when 'v' then 'view' else 'table' end, oid,
        case relkind
            when 'S' then '{usage,select,update}'::text[]
            else '{select,insert,update,delete,truncate,references,trigger,maintain}'
        end
    from pg_class
    where relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    and not exists (
        select from pg_depend
        where classid = 'pg_class'::regclass and objid = pg_class.oid and deptype = 'e'
    )
    union all
    select
        format('%%s.%%s', pronamespace::regnamespace, proname), pronamespace::regnamespace::text,
        case prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end, oid,
        '{execute}'
    from pg_proc
    where not exists (
        select from pg_depend
        where classid = 'pg_proc'::regclass and objid = pg_proc.oid and deptype = 'e'
    )
),

held as (
    select name, schema, kind, role, array_agg(privilege order by place)
        filter (where case
            when kind = 'schema' then has_schema_privilege(role, oid, privilege)
            when kind = 'sequence' then has_sequence_privilege(role, oid, privilege)
            when kind not in ('table', 'view') then has_function_privilege(role, oid, privilege)
            when privilege in ('select', 'insert', 'update', 'references')
                then has_any_column_privilege(role, oid, privilege)
            else has_table_privilege(role, oid, privilege)
        end) as privileges
    from object
    cross join unnest(privileges) with ordinality as each (privilege, place)
    cross join unnest(%s::text[]) as role
    where schema in (
        'data', 'internal', 'api', 'analytics', 'ops', 'deploy', 'public', '_timescaledb_internal'
    )
    group by name, schema, kind, role, oid
)

select
    name, schema, kind,
    array_agg(coalesce(array_to_string(privileges, ', '), '-') order by array_position(%s, role))
from held
group by name, schema, kind
"""
MEMBERS = """
select rolname
from pg_roles
where rolname = any(%s) and (
    rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls or rolcanlogin
    or exists (select from pg_auth_members where member = pg_roles.oid)
)
"""


def documented() -> Matrix:
    """The rows of the table: by object or `schema.*` and kind, what each role may."""
    text = (ROOT / "docs" / "access.md").read_text(encoding="utf-8")
    table = text.partition("| Object | Kind |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| `([\w.*]+)` \| (\w+) \| (.+?) \|$", table, re.MULTILINE)
    return {(name, kind): tuple(cells.split(" | ")) for name, kind, cells in rows}


def test_every_role_may_do_what_the_documented_matrix_says(db: Connection) -> None:
    # Chunks are tables too.
    ingest_metrics(db, [metric(), histogram([1, 2], [1, 2, 3], 9)])
    ingest_facts(db, fact())
    matrix = documented()
    found: Matrix = {}
    used = set()
    for name, schema, kind, held in db.execute(HELD, [[*ROLES], [*ROLES]]).fetchall():
        row = (name, kind) if (name, kind) in matrix else (f"{schema}.*", kind)
        used.add(row)
        if matrix.get(row) != tuple(held):
            found[name, kind] = tuple(held)

    assert found == {}
    assert matrix.keys() - used == set()


def test_the_roles_have_no_attributes_and_belong_to_no_other_role(db: Connection) -> None:
    assert db.execute(MEMBERS, [[*ROLES]]).fetchall() == []


def test_an_object_without_an_entry_is_found(db: Connection) -> None:
    matrix = documented()
    db.execute("create materialized view api.mine as select 1")
    names = {
        (schema, kind)
        for name, schema, kind, _ in db.execute(HELD, [[*ROLES], [*ROLES]]).fetchall()
        if name == "api.mine"
    }
    assert {(f"{schema}.*", kind) for schema, kind in names} - matrix.keys() == {("api.*", "table")}
