create or replace function internal.dimension_id(p_relation name) returns integer
language plpgsql stable
as $$
begin
    -- Of the catalog, as timescaledb_information takes milliseconds; in PL/pgSQL, because an SQL
    -- function is planned at each call.
    return (
        select dimension.id
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
comment on function internal.dimension_id(name) is
'The number, in the catalog of TimescaleDB, of the time of a hypertable or continuous aggregate of data; null
for any other name.';
