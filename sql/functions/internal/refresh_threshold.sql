-- In plpgsql, whose plans are kept: every ingest calls it.
create or replace function internal.refresh_threshold() returns timestamptz
language plpgsql stable
as $$
declare
    v_threshold constant bigint := (
        select threshold.watermark
        from _timescaledb_catalog.hypertable
        inner join _timescaledb_catalog.continuous_aggs_invalidation_threshold as threshold
            on hypertable.id = threshold.hypertable_id
        where hypertable.schema_name = 'data' and hypertable.table_name = 'sample'
    );
begin
    return case
        when v_threshold > _timescaledb_functions.to_unix_microseconds('0001-01-01')
            then _timescaledb_functions.to_timestamp(v_threshold)
    end;
end
$$;
comment on function internal.refresh_threshold() is
'Up to where a refresh of the hourly rollup has begun to read samples; null before the first one.';
