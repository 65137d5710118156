create or replace function internal.watermark(p_rollup name) returns timestamptz
language sql stable parallel safe
begin atomic
    select
        _timescaledb_functions.to_timestamp(
            _timescaledb_functions.cagg_watermark(mat_hypertable_id)
        )
    from _timescaledb_catalog.continuous_agg
    where user_view_schema = 'data' and user_view_name = p_rollup;
end;
comment on function internal.watermark(name) is
'Where the materialised part of a continuous aggregate of data ends; -infinity before the first.';
