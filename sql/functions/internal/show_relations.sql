create or replace function internal.show_relations()
returns table (
    relation text,
    oldest_at timestamptz,
    newest_at timestamptz,
    chunks bigint,
    columnstore_chunks bigint,
    row_count bigint,
    bytes bigint,
    bytes_before bigint,
    bytes_after bigint
)
language plpgsql stable
security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    v_table record;
begin
    for v_table in
        select
            tables.relname as name,
            tables.oid::regclass as id,
            dimension.column_name
        from pg_class as tables
        left join _timescaledb_catalog.continuous_agg as rollup
            on tables.relname = rollup.user_view_name and rollup.user_view_schema = 'data'
        left join _timescaledb_catalog.hypertable
            on hypertable.id = rollup.mat_hypertable_id
            or hypertable.schema_name = 'data' and hypertable.table_name = tables.relname
        left join _timescaledb_catalog.dimension on hypertable.id = dimension.hypertable_id
        where
            tables.relnamespace = 'data'::regnamespace
            and (tables.relkind = 'r' or rollup.mat_hypertable_id is not null)
        order by tables.relname
    loop
        relation := 'data.' || v_table.name;
        oldest_at := null;
        newest_at := null;
        if v_table.column_name is null then
            chunks := null;
            columnstore_chunks := null;
            row_count := internal.estimate_rows(v_table.id);
            bytes := pg_total_relation_size(v_table.id);
            bytes_before := null;
            bytes_after := null;
        else
            select
                count(*),
                count(*) filter (where measured.compressed),
                coalesce(sum(measured.row_count), 0),
                coalesce(sum(measured.bytes), 0),
                sum(measured.bytes_before),
                sum(measured.bytes_after),
                min(measured.range_end),
                max(measured.range_start)
            into
                chunks, columnstore_chunks, row_count, bytes, bytes_before, bytes_after, oldest_at,
                newest_at
            from internal.measure_chunks(v_table.name) as measured;
            -- Of the first and the last chunk: there need not be an index by time alone.
            execute format(
                'select (select min(%1$I) from %2$s where %1$I < $1),'
                || ' (select max(%1$I) from %2$s where %1$I >= $2)',
                v_table.column_name,
                v_table.id
            ) into oldest_at, newest_at using oldest_at, newest_at;
        end if;
        return next;
    end loop;
end
$$;
comment on function internal.show_relations() is
'Every table and rollup of data: its oldest and newest row and its chunks, where it has any, its rows,
estimated where they are many, and its bytes.';
