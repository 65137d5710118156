"""Functions and views: dropped and created again, together, each after what it needs.

`create or replace` alone keeps what a deleted file once made and refuses a changed argument name,
return type or column (42P13, 42P16). Dropping with RESTRICT before creating has neither fault and
cannot reach data: anything a table, index, constraint, trigger or continuous aggregate depends on
stays, because the server refuses to drop it.
"""

from __future__ import annotations

from collections import Counter

import psycopg
from psycopg import Connection
from psycopg.sql import SQL

from supervisor_mcp.deploy.apply import attempt, refusal
from supervisor_mcp.deploy.errors import DeployError
from supervisor_mcp.deploy.failure import describe
from supervisor_mcp.deploy.order import in_order
from supervisor_mcp.deploy.tree import SqlFile

# Routines and views of the schemas that hold code only. Members of extensions are not ours.
OURS = SQL("""
select
    p.oid, n.nspname || '.' || p.proname as relation,
    'drop routine ' || p.oid::regprocedure as statement
from pg_proc as p
inner join pg_namespace as n on p.pronamespace = n.oid
where
    n.nspname in ('internal', 'api', 'analytics', 'ops')
    and not exists (
        select from pg_depend as e
        where e.classid = 'pg_proc'::regclass and e.objid = p.oid and e.deptype = 'e'
    )
union all
select c.oid, n.nspname || '.' || c.relname, 'drop view ' || c.oid::regclass
from pg_class as c
inner join pg_namespace as n on c.relnamespace = n.oid
where
    n.nspname in ('internal', 'api', 'analytics', 'ops')
    and c.relkind = 'v'
    and not exists (
        select from pg_depend as e
        where e.classid = 'pg_class'::regclass and e.objid = c.oid and e.deptype = 'e'
    )
""")

# Youngest first: what depends on another was mostly made after it, so that one pass is enough
# and a second one only confirms what stays.
DROP = SQL("""
do $drop$
declare
    v_statement text;
    v_dropped integer;
begin
    loop
        v_dropped := 0;
        for v_statement in
            select ours.statement from ({ours}) as ours order by ours.oid desc
        loop
            begin
                execute v_statement;
                v_dropped := v_dropped + 1;
            exception when dependent_objects_still_exist then
                null;
            end;
        end loop;
        exit when v_dropped = 0;
    end loop;
end
$drop$
""").format(ours=OURS)

DEPENDENTS = SQL("""
select pg_describe_object(d.classid, d.objid, d.objsubid)
from ({ours}) as ours
inner join pg_depend as d
    on ours.oid = d.refobjid and d.refclassid in ('pg_proc'::regclass, 'pg_class'::regclass)
where ours.relation = %s and d.deptype <> 'i'
order by 1
""").format(ours=OURS)

RELATIONS = SQL("select ours.relation from ({ours}) as ours").format(ours=OURS)

# Undefined function, table, column, object: it may be in a file that is still to come.
NOT_YET = {"42883", "42P01", "42703", "42704"}
# A row type, argument or column that `create or replace` does not change.
NOT_REPLACEABLE = {"42P13", "42P16"}


def drop(conn: Connection) -> None:
    """Drop every routine and view of our schemas that nothing else depends on."""
    conn.execute(DROP)


def create(conn: Connection, files: tuple[SqlFile, ...]) -> int:
    """Create every routine and view; return the number of passes that it took.

    One pass is enough unless a file hides what it needs; what the server refuses meanwhile is an
    error in its log. Call it on what `drop` left. Raises DeployError naming the files that the
    server refuses, that create something else than their name says, or that clash with what could
    not be dropped.
    """
    kept = _relations(conn)
    waiting, passes = in_order(files), 0
    while waiting:
        refused = _create_pass(conn, waiting)
        if len(refused) == len(waiting):
            raise DeployError(_explain(refused))
        waiting, passes = tuple(refused), passes + 1
    _check_one_each(conn, files, kept)
    return passes


def refuse_stale(conn: Connection, files: tuple[SqlFile, ...], gone: tuple[str, ...]) -> None:
    """Raise DeployError when a routine or view still exists although its file was deleted.

    `gone` holds the paths of the deleted files. Call it after `create`.
    """
    stale = _relations(conn).keys() - {file.relation for file in files}
    for path in gone:
        relation = SqlFile(path, "").relation
        if path.startswith(("functions/", "views/")) and relation in stale:
            raise DeployError(
                f"{path} was deleted but {_why_kept(conn, relation)}: a migration must end that"
            )


def _create_pass(conn: Connection, files: tuple[SqlFile, ...]) -> dict[SqlFile, psycopg.Error]:
    refused = {}
    for file in files:
        error = attempt(conn, file)
        if error is None:
            continue
        if error.sqlstate in NOT_REPLACEABLE:
            raise DeployError(f"{describe(file, error)}\n  {_why_kept(conn, file.relation)}")
        if error.sqlstate not in NOT_YET:
            raise refusal(file, error) from error
        refused[file] = error
    return refused


def _explain(refused: dict[SqlFile, psycopg.Error]) -> str:
    """Put the files that wait for no other file first: the cause is among them."""
    names = {file.relation for file in refused}
    waits = {
        file: any(name in str(error) for name in names - {file.relation})
        for file, error in refused.items()
    }
    causes = [file for file in refused if not waits[file]] or list(refused)
    dependents = [file.path for file in refused if file not in causes]
    lines = [describe(file, refused[file]) for file in causes]
    return "\n".join([*lines, *(f"{path} waits for one of these" for path in dependents)])


def _check_one_each(conn: Connection, files: tuple[SqlFile, ...], kept: Counter[str]) -> None:
    standing = _relations(conn)
    paths = {file.relation: file.path for file in files}
    for relation, path in paths.items():
        if relation not in standing:
            raise DeployError(f"{path} does not create {relation}")
    for relation, times in standing.items():
        if relation not in paths and relation not in kept:
            raise DeployError(f"{relation} is created by a file of another name")
        if times > 1:
            reason = _why_kept(conn, relation) if relation in kept else "one function per file"
            raise DeployError(f"{relation} exists {times} times: {reason}")


def _relations(conn: Connection) -> Counter[str]:
    return Counter(row[0] for row in conn.execute(RELATIONS))


def _why_kept(conn: Connection, relation: str) -> str:
    rows = conn.execute(DEPENDENTS, (relation,)).fetchall()
    return f"{relation} is in use by {', '.join(row[0] for row in rows)}"
