-- In plpgsql, whose plans are kept: planning the view takes 8 ms, and every ingest of older items asks.
create or replace function internal.oldest_chunk(p_relation name) returns timestamptz
language plpgsql stable
as $$
begin
    return (
        select coalesce(min(chunks.range_start), 'infinity')
        from timescaledb_information.chunks
        left join timescaledb_information.continuous_aggregates as rollup
            on
                chunks.hypertable_schema = rollup.materialization_hypertable_schema
                and chunks.hypertable_name = rollup.materialization_hypertable_name
        where
            coalesce(rollup.view_schema, chunks.hypertable_schema) = 'data'
            and coalesce(rollup.view_name, chunks.hypertable_name) = p_relation
    );
end
$$;
comment on function internal.oldest_chunk(name) is
'Start of the oldest chunk of a hypertable or continuous aggregate of data; infinity without chunks.';
