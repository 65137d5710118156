create or replace function internal.hypertable(p_relation name) returns regclass
language plpgsql stable
as $$
begin
    return (
        select format('%I.%I', hypertable.schema_name, hypertable.table_name)::regclass
        from _timescaledb_catalog.hypertable
        left join _timescaledb_catalog.continuous_agg as rollup
            on hypertable.id = rollup.mat_hypertable_id
        where
            coalesce(rollup.user_view_schema, hypertable.schema_name) = 'data'
            and coalesce(rollup.user_view_name, hypertable.table_name) = p_relation
    );
end
$$;
comment on function internal.hypertable(name) is
'The hypertable that has the rows of a hypertable or continuous aggregate of data; null for any other name.';
