create or replace function internal.step_rollup(
    p_resolution text, p_kind bigint, p_series bigint[], p_from timestamptz, p_to timestamptz, p_step interval
)
returns setof data.rollup
language plpgsql stable
as $$
declare
    c_statistics constant text [] := '{count,sum,avg,min,max,stddev,last,rate_per_second}';
begin
    if p_resolution = '1d' then
        return query
        select * from internal.rollup(
            '{}', array[p_kind], p_series, p_from, p_to, null, interval '24 hours', c_statistics
        );
    elsif p_resolution = '1h' then
        return query
        select * from internal.rollup(
            '{}', array[p_kind], p_series, p_from, p_to, null, interval '1 hour', c_statistics
        );
    else
        return query
        select rollup.*
        from internal.raw_rollup(array[p_kind], p_from, p_to, p_step, c_statistics) as rollup
        where rollup.series_id = any(p_series);
    end if;
end
$$;
comment on function internal.step_rollup(text, bigint, bigint[], timestamptz, timestamptz, interval) is
'Buckets of series of a kind for steps of a chart: days (1d), hours (1h), or steps of samples (raw), without
sketches.';
