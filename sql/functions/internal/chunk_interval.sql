create or replace function internal.chunk_interval(p_relation name) returns interval
language plpgsql stable
as $$
begin
    return (
        select make_interval(secs => dimension.interval_length / 1e6)
        from _timescaledb_catalog.hypertable
        inner join _timescaledb_catalog.dimension on hypertable.id = dimension.hypertable_id
        left join _timescaledb_catalog.continuous_agg as rollup
            on hypertable.id = rollup.mat_hypertable_id
        where
            coalesce(rollup.user_view_schema, hypertable.schema_name) = 'data'
            and coalesce(rollup.user_view_name, hypertable.table_name) = p_relation
    );
end
$$;
comment on function internal.chunk_interval(name) is
'Length of the chunks of a hypertable or continuous aggregate of data.';
