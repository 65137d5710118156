create or replace function internal.hourly_rollup(
    p_kinds integer[], p_series integer[], p_from timestamptz, p_to timestamptz
)
returns setof data.rollup
language plpgsql stable
as $$
declare
    v_from constant timestamptz := time_bucket(interval '1 hour', p_from + interval '1 hour - 1 microsecond');
    -- The rollup's own rows above its watermark would be of a newer snapshot's watermark.
    v_to constant timestamptz := least(
        time_bucket(interval '1 hour', p_to), internal.watermark('sample_1h')
    );
    v_series constant integer [] := p_series
        || array(select series_id from data.series where kind_id = any(p_kinds));
    v_kinds constant integer [] := p_kinds
        || array(select distinct kind_id from data.series where series_id = any(p_series));
    v_late record;
begin
    if v_from >= v_to then
        return query select * from internal.raw_rollup(v_series, p_from, p_to);
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
    return query select * from internal.raw_rollup(v_series, p_from, v_from);
    return query select * from internal.raw_rollup(v_series, v_to, p_to);
    for v_late in
        select
            run.series,
            min(run.bucket) as bucket_from,
            max(run.bucket) + interval '1 hour' as bucket_to
        from (
            select
                hour.series,
                hour.bucket,
                -- Equal for hours that follow each other.
                hour.bucket
                - row_number() over (partition by hour.series order by hour.bucket)
                * interval '1 hour' as run
            from (
                select
                    late.bucket,
                    array(
                        select series.series_id
                        from data.series
                        where series.series_id = any(v_series)
                            and series.kind_id = any(array_agg(late.kind_id))
                        order by series.series_id
                    ) as series
                from data.late
                where late.kind_id = any(v_kinds) and late.bucket >= v_from and late.bucket < v_to
                group by late.bucket
            ) as hour
        ) as run
        group by run.series, run.run
    loop
        return query select * from internal.raw_rollup(
            v_late.series, v_late.bucket_from, v_late.bucket_to
        );
    end loop;
end
$$;
comment on function internal.hourly_rollup(integer[], integer[], timestamptz, timestamptz) is
'Hours of all series of kinds, and of further series, in [p_from, p_to): from the hourly rollup,
from the samples where an end is no full hour, above the watermark, and where late samples wait.';
