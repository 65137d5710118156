create or replace function internal.export_query(p_stored_in regclass) returns text
language plpgsql stable
as $$
begin
    return (
        with sort_key as (
            select indkey
            from pg_catalog.pg_index
            where indrelid = p_stored_in and indisunique and indpred is null and indexprs is null
            order by not indisprimary, indexrelid
            limit 1
        ),

        -- Time comes first, so that chunks are sorted one by one.
        dimension as (
            select dimension.column_name
            from _timescaledb_catalog.hypertable
            inner join _timescaledb_catalog.dimension on hypertable.id = dimension.hypertable_id
            where format('%I.%I', hypertable.schema_name, hypertable.table_name)::regclass = p_stored_in
        )

        select
            format(
                'select row_to_json(line) from (select %s from %s order by %s) as line',
                string_agg(shown.written, ', ' order by shown.place),
                p_stored_in,
                string_agg(
                    shown.sort_key, ', '
                    order by
                        dimension.column_name is null,
                        array_position((select indkey::smallint [] from sort_key), shown.place),
                        shown.place
                ) filter (
                    where shown.place = any(coalesce((select indkey::smallint [] from sort_key), array[shown.place]))
                )
            )
        from internal.exported_columns(p_stored_in) as shown
        left join dimension on shown.name = dimension.column_name
    );
end
$$;
comment on function internal.export_query(regclass) is
'The query that an export asks: a JSON object for each row of a relation, in the same order on every server.';
