create or replace function internal.step_rollup(
    p_resolution text, p_kind bigint, p_series bigint[], p_from timestamptz, p_to timestamptz, p_step interval
)
returns setof data.rollup
language plpgsql stable
as $$
begin
    if p_resolution = '1d' then
        return query
        select * from internal.rollup(
            '{}', array[p_kind], p_series, p_from, p_to, interval '24 hours', false
        );
    elsif p_resolution = '1h' then
        return query
        select * from internal.rollup(
            '{}', array[p_kind], p_series, p_from, p_to, interval '1 hour', false
        );
    else
        return query
        select * from internal.raw_rollup(array[p_kind], p_series, p_from, p_to, p_step, false);
    end if;
end
$$;
comment on function internal.step_rollup(text, bigint, bigint[], timestamptz, timestamptz, interval) is
'Buckets of series of a kind for steps of a chart: days (1d), hours (1h), or steps of samples (raw), without
sketches.';
