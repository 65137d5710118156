"""What belongs to a relation, as finished lines of the snapshot.

Each query returns (schema, relation, line). Left out is what differs between servers that were
deployed the same way: job and hypertable ids, chunks, start times, names that TimescaleDB makes up.
"""

from __future__ import annotations

from psycopg import Connection

CONSTRAINTS = """
select
    n.nspname, c.relname,
    format('constraint %%I %%s', k.conname, pg_get_constraintdef(k.oid))
from pg_catalog.pg_constraint as k
inner join pg_catalog.pg_class as c on k.conrelid = c.oid
inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
where n.nspname = any(%(schemas)s) and k.contype in ('p', 'u', 'x', 'f', 'c')
order by array_position(array['p', 'u', 'x', 'f', 'c'], k.contype::text), k.conname
"""

# An index or a setting of a continuous aggregate is kept at the hypertable behind it.
BEHIND = """
with behind as (
    select n.nspname as schema, c.relname as relation, c.oid
    from pg_catalog.pg_class as c
    inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
    where n.nspname = any(%(schemas)s) and c.relkind in ('r', 'p')
    union all
    select
        ca.view_schema, ca.view_name,
        format(
            '%%I.%%I', ca.materialization_hypertable_schema, ca.materialization_hypertable_name
        )::regclass
    from timescaledb_information.continuous_aggregates as ca
    where ca.view_schema = any(%(schemas)s)
)
"""

INDEXES = (
    BEHIND
    + """
select
    b.schema, b.relation,
    regexp_replace(
        pg_get_indexdef(i.indexrelid),
        ' ON (ONLY )?\\S+ ', format(' on %%I.%%I ', b.schema, b.relation)
    )
from behind as b
inner join pg_catalog.pg_index as i on b.oid = i.indrelid
inner join pg_catalog.pg_class as x on i.indexrelid = x.oid
where
    not exists (select from pg_catalog.pg_constraint as k where k.conindid = i.indexrelid)
    and x.relname !~ '^_materialized_hypertable_'
order by x.relname
"""
)

TRIGGERS = """
select n.nspname, c.relname, pg_get_triggerdef(t.oid)
from pg_catalog.pg_trigger as t
inner join pg_catalog.pg_class as c on t.tgrelid = c.oid
inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
inner join pg_catalog.pg_proc as p on t.tgfoid = p.oid
inner join pg_catalog.pg_namespace as pn on p.pronamespace = pn.oid
where
    n.nspname = any(%(schemas)s) and not t.tgisinternal
    and pn.nspname !~ '^_timescaledb'
order by t.tgname
"""

HYPERTABLES = (
    BEHIND
    + """
select
    b.schema, b.relation,
    format(
        'hypertable by %%I, %%s', d.column_name,
        coalesce(
            'chunks of ' || d.time_interval,
            'chunks of ' || d.integer_interval,
            d.num_partitions || ' partitions'
        )
    )
from behind as b
inner join pg_catalog.pg_class as c on b.oid = c.oid
inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
inner join timescaledb_information.dimensions as d
    on n.nspname = d.hypertable_schema and c.relname = d.hypertable_name
order by d.dimension_number
"""
)

COLUMNSTORE = (
    BEHIND
    + """
select
    b.schema, b.relation,
    format(
        'columnstore, segments by (%%s), ordered by (%%s)',
        coalesce(s.segmentby, ''), coalesce(s.orderby, '')
    )
from behind as b
inner join timescaledb_information.hypertable_compression_settings as s on b.oid = s.hypertable
where coalesce(s.segmentby, s.orderby) is not null
"""
)

FRESHNESS = """
select
    ca.view_schema, ca.view_name,
    case when ca.materialized_only then 'materialised rows only' else 'real-time' end
from timescaledb_information.continuous_aggregates as ca
where ca.view_schema = any(%(schemas)s)
"""

# Jobs below 1000 are TimescaleDB's own.
JOBS = """
select
    coalesce(ca.view_schema, j.hypertable_schema, ''),
    coalesce(ca.view_name, j.hypertable_name, ''),
    concat_ws(
        ' ',
        format('job %%I.%%I every %%s', j.proc_schema, j.proc_name, j.schedule_interval),
        j.config - 'hypertable_id' - 'mat_hypertable_id',
        case
            when j.proc_schema !~ '^_timescaledb'
                then format(
                    'at most %%s, %%s retries every %%s',
                    j.max_runtime, j.max_retries, j.retry_period
                )
        end,
        case when not j.scheduled then 'switched off' end
    ) as line
from timescaledb_information.jobs as j
left join timescaledb_information.continuous_aggregates as ca
    on
        j.hypertable_schema = ca.materialization_hypertable_schema
        and j.hypertable_name = ca.materialization_hypertable_name
where j.job_id >= 1000
"""

# Owners are left out, and so are roles other than those of the product.
GRANTS = """
with acl (kind, object, acl) as (
    select 'schema', quote_ident(nspname), coalesce(nspacl, acldefault('n', nspowner))
    from pg_catalog.pg_namespace
    where nspname = any(%(schemas)s)
    union all
    select
        case c.relkind when 'S' then 'sequence' else 'table' end,
        format('%%I.%%I', n.nspname, c.relname), c.relacl
    from pg_catalog.pg_class as c
    inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
    where n.nspname = any(%(schemas)s) and c.relkind in ('r', 'p', 'v', 'S')
    union all
    select 'column', format('%%I.%%I.%%I', n.nspname, c.relname, a.attname), a.attacl
    from pg_catalog.pg_attribute as a
    inner join pg_catalog.pg_class as c on a.attrelid = c.oid
    inner join pg_catalog.pg_namespace as n on c.relnamespace = n.oid
    where n.nspname = any(%(schemas)s)
    union all
    select
        case p.prokind when 'p' then 'procedure' else 'function' end,
        p.oid::regprocedure::text, coalesce(p.proacl, acldefault('f', p.proowner))
    from pg_catalog.pg_proc as p
    inner join pg_catalog.pg_namespace as n on p.pronamespace = n.oid
    where n.nspname = any(%(schemas)s)
    union all
    select
        'default',
        concat_ws(
            ' ',
            case d.defaclobjtype
                when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions'
                when 'T' then 'types' else 'schemas'
            end,
            'in ' || nullif(d.defaclnamespace, 0)::regnamespace::text
        ),
        d.defaclacl
    from pg_catalog.pg_default_acl as d
)

select
    acl.kind, acl.object,
    format(
        'grant %%s on %%s %%s to %%s%%s',
        lower(string_agg(a.privilege_type, ', ' order by a.privilege_type collate "C")),
        acl.kind, acl.object, coalesce(quote_ident(r.rolname), 'public'),
        case when a.is_grantable then ' with grant option' else '' end
    )
from acl
cross join lateral aclexplode(acl.acl) as a
left join pg_catalog.pg_roles as r on a.grantee = r.oid
where a.grantee = 0 or r.rolname ~ '^supervisor_'
group by acl.kind, acl.object, r.rolname, a.is_grantable
union all
select 'role', r.rolname, format('grant %%I to %%I', r.rolname, m.rolname)
from pg_catalog.pg_auth_members as am
inner join pg_catalog.pg_roles as r on am.roleid = r.oid
inner join pg_catalog.pg_roles as m on am.member = m.oid
where
    r.rolname ~ '^supervisor_'
    and m.rolname ~ '^supervisor_'
    -- Another database of the cluster may have more roles.
    and exists (
        select from pg_catalog.pg_shdepend as used
        where
            used.refclassid = 'pg_authid'::regclass
            and used.refobjid = m.oid
            and used.dbid = (
                select oid from pg_catalog.pg_database where datname = current_database()
            )
    )
"""


def lines(
    conn: Connection, query: str, schemas: tuple[str, ...]
) -> dict[tuple[str, str], list[str]]:
    """Run one of the queries above; its lines by (schema, relation), in the query's order."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for schema, relation, line in conn.execute(query.encode(), {"schemas": list(schemas)}):
        grouped.setdefault((schema, relation), []).append(line)
    return grouped
