create or replace function internal.step_rollup(
    p_resolution text, p_series bigint[], p_from timestamptz, p_to timestamptz, p_step interval
)
returns setof data.rollup
language plpgsql stable
as $$
begin
    if p_resolution = '1d' then
        return query select * from internal.rollup('{}', '{}', p_series, p_from, p_to);
    elsif p_resolution = '1h' then
        return query select * from internal.hourly_rollup('{}', p_series, p_from, p_to);
    else
        -- Without the sketch, which then is not computed.
        return query
        select
            kind_id, series_id, bucket, observations, value_count, value_sum, squared_deviations,
            value_min, value_max, value_last, value_last_at, last_at, value_first, value_first_at,
            increase, null::bigint []
        from internal.raw_rollup('{}', p_series, p_from, p_to, p_step);
    end if;
end
$$;
comment on function internal.step_rollup(text, bigint[], timestamptz, timestamptz, interval) is
'Buckets of series for steps of a chart: days (1d), hours (1h), or steps of samples (raw).';
