-- In plpgsql, whose plans are kept: every ingest calls it.
create or replace function internal.late_before(p_now timestamptz) returns timestamptz
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
    if v_threshold > _timescaledb_functions.to_unix_microseconds('0001-01-01') then
        return greatest(
            _timescaledb_functions.to_timestamp(v_threshold),
            -- A refresh that starts before this transaction commits covers all but the last hour.
            time_bucket(interval '1 hour', p_now - interval '55 minutes')
        );
    end if;
    return null;
end
$$;
comment on function internal.late_before(timestamptz) is
'Samples older than this may be missing from a finished or running refresh: note them in data.late.
Null before the first refresh. The watermark would not do: it moves only when a refresh ends, and each rollup has its own.';
