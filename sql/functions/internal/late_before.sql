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
    -- An ingest that commits during a refresh, also the first one, may be missing from it. Within 15
    -- minutes after an hour, it has 5 minutes until refresh_rollups may begin with that hour.
    return greatest(
        time_bucket(interval '1 hour', p_now - interval '15 minutes'),
        case
            when v_threshold > _timescaledb_functions.to_unix_microseconds('0001-01-01')
                then _timescaledb_functions.to_timestamp(v_threshold)
        end
    );
end
$$;
comment on function internal.late_before(timestamptz) is
'Samples older than this may be missing from a finished or running refresh: note them in data.late.
The watermark would not do: it moves only when a refresh ends, and each rollup has its own.';
