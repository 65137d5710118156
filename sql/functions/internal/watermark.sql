create or replace function internal.watermark(p_rollup name) returns timestamptz
language sql stable parallel safe
begin atomic
    -- Before the first refresh it is the start of PostgreSQL's calendar.
    select case when watermark >= '0001-01-01 00:00+00' then watermark else '-infinity' end
    from (
        select
            _timescaledb_functions.to_timestamp(
                _timescaledb_functions.cagg_watermark(mat_hypertable_id)
            ) as watermark
        from _timescaledb_catalog.continuous_agg
        where user_view_schema = 'data' and user_view_name = p_rollup
    ) as rollup;
end;
comment on function internal.watermark(name) is
'Where the materialised part of a continuous aggregate of data ends; -infinity before the first.';
