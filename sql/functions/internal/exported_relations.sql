create or replace function internal.exported_relations()
returns table (place bigint, name text, stored_in regclass, prefilled boolean, audited boolean)
language sql stable
begin atomic
    with recursive relation as (
        select
            pg_class.oid,
            'data.' || pg_class.relname as name,
            pg_class.oid::regclass as stored_in
        from pg_catalog.pg_class
        where
            pg_class.relnamespace = 'data'::regnamespace
            and pg_class.relkind = 'r'
            -- What Redis holds, which process or session does what, and what the next job makes again: of
            -- one server, at this moment.
            and pg_class.relname not in ('kind_change', 'lease', 'recent_hour', 'recent_range', 'statement')
        union all
        select
            format('data.%I', rollup.user_view_name)::regclass,
            'data.' || rollup.user_view_name,
            format('%I.%I', hypertable.schema_name, hypertable.table_name)::regclass
        from _timescaledb_catalog.continuous_agg as rollup
        inner join _timescaledb_catalog.hypertable on rollup.mat_hypertable_id = hypertable.id
        where rollup.user_view_schema = 'data'
    ),

    step as (
        select
            oid,
            0 as depth
        from relation
        union all
        select
            reference.conrelid,
            step.depth + 1
        from step
        inner join pg_catalog.pg_constraint as reference
            on step.oid = reference.confrelid and reference.contype = 'f'
        inner join relation on reference.conrelid = relation.oid
        where reference.conrelid <> reference.confrelid
    )

    select
        row_number() over (order by max(step.depth), relation.name collate "C"),
        relation.name,
        relation.stored_in,
        relation.name in ('data.audit_head', 'data.quota', 'data.complete_since'),
        relation.stored_in in (
            select pg_trigger.tgrelid from pg_catalog.pg_trigger
            where pg_trigger.tgname = 'audited'
        )
    from relation
    inner join step on relation.oid = step.oid
    group by relation.name, relation.stored_in;
end;
comment on function internal.exported_relations() is
'What an export contains, each relation after those that its rows refer to: tables, hypertables, and rollups
with the hypertable that they are stored in. prefilled says that a migration fills it, audited that
its changes are.';
