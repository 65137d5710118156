"""Functions and views: created or replaced in place, each after what it needs.

What is replaced in place keeps its identity, so that the service goes on calling it while another
release is deployed. `create or replace` refuses another argument name, return type or column
(42P13, 42P16), and makes a second function where the types of arguments differ. Then the function
or view is dropped first, together with those of ours that depend on it, which are created again.

Dropping is RESTRICT and cannot reach data: anything a table, index, constraint, trigger or
continuous aggregate depends on stays, because the server refuses to drop it.
"""

from __future__ import annotations

from collections import Counter

import psycopg
from psycopg import Connection
from psycopg.sql import SQL, Composable

from supervisor_mcp.deploy.apply import attempt, refusal
from supervisor_mcp.deploy.errors import DeployError
from supervisor_mcp.deploy.failure import describe
from supervisor_mcp.deploy.order import in_order
from supervisor_mcp.deploy.tree import SqlFile

# Routines and views of the schemas that hold code only. Members of extensions are not ours.
OURS = SQL("""
select
    p.oid, n.nspname || '.' || p.proname as relation,
    'drop routine ' || p.oid::regprocedure as statement, null as columns
from pg_proc as p
inner join pg_namespace as n on p.pronamespace = n.oid
where
    n.nspname in ('internal', 'api', 'analytics', 'ops')
    and not exists (
        select from pg_depend as e
        where e.classid = 'pg_proc'::regclass and e.objid = p.oid and e.deptype = 'e'
    )
union all
select
    c.oid, n.nspname || '.' || c.relname, 'drop view ' || c.oid::regclass,
    (
        select string_agg(a.attname || ' ' || a.atttypid::regtype, ', ' order by a.attnum)
        from pg_attribute as a
        where a.attrelid = c.oid
    )
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

# Youngest first: what depends on another was mostly made after it, so that one pass is mostly
# enough and the next one only confirms what stays.
DROP = SQL("""
do $drop$
declare
    v_statement text;
    v_dropped integer;
begin
    loop
        v_dropped := 0;
        for v_statement in
            select ours.statement from ({ours}) as ours where {chosen} order by ours.oid desc
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
""")

# A relation and those of ours that depend on it, directly or through others; what names a view in
# its arguments or its result depends on the type of its rows.
DEPENDING = SQL("""
with recursive depending (oid) as (
    select ours.oid from ({ours}) as ours where ours.relation = %s
    union
    select coalesce(rule.ev_class, d.objid)
    from depending
    inner join pg_depend as d
        on depending.oid = d.refobjid
        or d.refobjid = (select c.reltype from pg_class as c where depending.oid = c.oid)
    left join pg_rewrite as rule on d.classid = 'pg_rewrite'::regclass and d.objid = rule.oid
    where d.classid in ('pg_proc'::regclass, 'pg_rewrite'::regclass)
)
select distinct ours.relation
from ({ours}) as ours
inner join depending on ours.oid = depending.oid
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

IDENTITY = SQL("""
select ours.oid, ours.columns from ({ours}) as ours where ours.relation = %s
""").format(ours=OURS)

# What earlier releases granted is granted again by grants.sql, or was meant to end.
REVOKE = SQL("""
do $revoke$
declare
    v_statement text;
begin
    for v_statement in
        select distinct format(
            'revoke all on %s from %s',
            regexp_replace(ours.statement, '^drop (view )?', ''),
            coalesce(quote_ident(grantee.rolname), 'public')
        )
        from ({ours}) as ours
        left join pg_proc as p on ours.oid = p.oid and ours.columns is null
        left join pg_class as c on ours.oid = c.oid and ours.columns is not null
        cross join lateral aclexplode(coalesce(p.proacl, c.relacl)) as granted
        left join pg_roles as grantee on granted.grantee = grantee.oid
        where granted.grantee <> coalesce(p.proowner, c.relowner)
    loop
        execute v_statement;
    end loop;
end
$revoke$
""").format(ours=OURS)

# Undefined function, table, column, object: it may be in a file that is still to come.
NOT_YET = {"42883", "42P01", "42703", "42704"}
# A row type, argument, column or kind that `create or replace` does not change, and what `create`
# alone does not replace.
NOT_REPLACEABLE = {"42P13", "42P16", "42809", "42723", "42P07"}


def drop(conn: Connection) -> None:
    """Drop every routine and view of our schemas that nothing else depends on."""
    _drop(conn, SQL("true"))


def create(
    conn: Connection, files: tuple[SqlFile, ...], changed: tuple[SqlFile, ...] | None = None
) -> int:
    """Create or replace what changed, by default all; return the number of passes that it took.

    `files` are all that there are: what has none is dropped. One pass is enough unless a file hides
    what it needs, or has another signature; what the server refuses meanwhile is an error in its
    log. Raises DeployError naming the files that the server refuses, that create something else
    than their name says, or that clash with what could not be dropped.
    """
    kept = _relations(conn)
    by_relation = {file.relation: file for file in files}
    waiting, passes = in_order(files if changed is None else changed), 0
    while waiting:
        refused, dropped = _create_pass(conn, waiting, kept)
        if len(refused) == len(waiting) and not dropped:
            raise DeployError(_explain(refused))
        again = {by_relation[name]: None for name in dropped if name in by_relation}
        waiting, passes = in_order({**again, **dict.fromkeys(refused)}), passes + 1
    _check_one_each(conn, files, kept)
    _drop(conn, SQL("ours.relation <> all({})").format(list(by_relation)))
    return passes


def revoke(conn: Connection) -> None:
    """Take back all privileges on routines and views of our schemas, for grants.sql to give."""
    conn.execute(REVOKE)


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


def _create_pass(
    conn: Connection, files: tuple[SqlFile, ...], standing: Counter[str]
) -> tuple[dict[SqlFile, psycopg.Error], set[str]]:
    """Create each file that can be; return those that wait, and relations dropped meanwhile."""
    refused: dict[SqlFile, psycopg.Error] = {}
    dropped: set[str] = set()
    for file in files:
        before = _identity(conn, file) if standing[file.relation] else set()
        error = attempt(conn, file)
        if before and _is_other(conn, file, before, error):
            dropped |= _drop_depending(conn, file)
            error = attempt(conn, file)
        if error is None:
            dropped.discard(file.relation)
        elif error.sqlstate in NOT_REPLACEABLE:
            raise DeployError(f"{describe(file, error)}\n  {_why_kept(conn, file.relation)}")
        elif error.sqlstate in NOT_YET:
            refused[file] = error
        else:
            raise refusal(file, error) from error
    return refused, dropped


def _is_other(
    conn: Connection,
    file: SqlFile,
    before: set[tuple[int, str | None]],
    error: psycopg.Error | None,
) -> bool:
    """Whether a file cannot take the place of what has its name."""
    if error is not None:
        return error.sqlstate in NOT_REPLACEABLE
    return _identity(conn, file) != before


def _identity(conn: Connection, file: SqlFile) -> set[tuple[int, str | None]]:
    return set(conn.execute(IDENTITY, (file.relation,)))


def _drop_depending(conn: Connection, file: SqlFile) -> set[str]:
    """Drop what has the name of a file, with what depends on it; return the names."""
    names = {name for (name,) in conn.execute(DEPENDING, (file.relation,))}
    _drop(conn, SQL("ours.relation = any({})").format(list(names)))
    return names - _relations(conn).keys()


def _drop(conn: Connection, chosen: Composable) -> None:
    conn.execute(DROP.format(ours=OURS, chosen=chosen))


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
            reason = _why_kept(conn, relation) or "one function per file"
            raise DeployError(f"{relation} exists {times} times: {reason}")


def _relations(conn: Connection) -> Counter[str]:
    return Counter(relation for (relation,) in conn.execute(RELATIONS))


def _why_kept(conn: Connection, relation: str) -> str:
    """Say what else uses a relation; nothing where nothing does."""
    users = [user for (user,) in conn.execute(DEPENDENTS, (relation,))]
    return f"{relation} is in use by {', '.join(users)}" if users else ""
