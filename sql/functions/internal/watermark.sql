create or replace function internal.watermark(p_rollup name) returns timestamptz
language plpgsql stable parallel safe
as $$
begin
    -- Read in the caller's snapshot: cagg_watermark() may be newer than the rows that the caller sees.
    -- Before the first refresh, the catalog has the start of PostgreSQL's calendar.
    return (
        select
            case
                when mark.watermark > _timescaledb_functions.to_unix_microseconds('0001-01-01')
                    then _timescaledb_functions.to_timestamp(mark.watermark)
                else '-infinity'
            end
        from _timescaledb_catalog.continuous_agg as rollup
        inner join _timescaledb_catalog.continuous_aggs_watermark as mark
            on rollup.mat_hypertable_id = mark.mat_hypertable_id
        where rollup.user_view_schema = 'data' and rollup.user_view_name = p_rollup
    );
end
$$;
comment on function internal.watermark(name) is
'End of the materialized part of a continuous aggregate of data; -infinity before the first refresh.';
