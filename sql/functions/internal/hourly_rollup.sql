create or replace function internal.hourly_rollup(
    p_kinds integer[], p_series integer[], p_from timestamptz, p_to timestamptz
)
returns setof data.rollup
language plpgsql stable
as $$
declare
    v_from constant timestamptz := time_bucket(interval '1 hour', p_from + interval '1 hour - 1 microsecond');
    v_to constant timestamptz := time_bucket(interval '1 hour', p_to);
    v_series integer [];
    v_kinds integer [];
    v_late record;
begin
    if p_from >= p_to then
        return;
    end if;
    return query
    select
        hour.kind_id, hour.series_id, hour.bucket, hour.count, hour.value_count, hour.sum, hour.m2,
        hour.min, hour.max, hour.last, hour.last_at, hour.first, hour.increase, hour.sketch
    from data.sample_1h as hour
    where hour.kind_id = any(p_kinds)
        and hour.bucket >= v_from and hour.bucket < v_to
        and not exists (
            select from data.late where late.kind_id = hour.kind_id and late.bucket = hour.bucket
        );
    return query
    select
        hour.kind_id, hour.series_id, hour.bucket, hour.count, hour.value_count, hour.sum, hour.m2,
        hour.min, hour.max, hour.last, hour.last_at, hour.first, hour.increase, hour.sketch
    from data.sample_1h as hour
    where hour.series_id = any(p_series)
        and hour.bucket >= v_from and hour.bucket < v_to
        and not exists (
            select from data.late where late.kind_id = hour.kind_id and late.bucket = hour.bucket
        );

    -- What no finished hour holds: the parts at both ends, and hours that got late samples.
    v_series := p_series || array(select series_id from data.series where kind_id = any(p_kinds));
    if p_from < v_from then
        return query select * from internal.raw_rollup(v_series, p_from, least(v_from, p_to));
    end if;
    if v_from <= v_to and v_to < p_to then
        return query select * from internal.raw_rollup(v_series, v_to, p_to);
    end if;
    v_kinds := p_kinds || array(select distinct kind_id from data.series where series_id = any(p_series));
    for v_late in
        select
            late.bucket,
            array(
                select series.series_id
                from data.series
                where series.series_id = any(v_series)
                    and series.kind_id = any(array_agg(late.kind_id))
            ) as series
        from data.late
        where late.kind_id = any(v_kinds) and late.bucket >= v_from and late.bucket < v_to
        group by late.bucket
    loop
        return query select * from internal.raw_rollup(
            v_late.series, v_late.bucket, v_late.bucket + interval '1 hour'
        );
    end loop;
end
$$;
comment on function internal.hourly_rollup(integer[], integer[], timestamptz, timestamptz) is
'Hours of all series of kinds, and of further series, in [p_from, p_to): from the hourly rollup,
from the samples where an end is no full hour and where late samples wait to be rolled up.';
