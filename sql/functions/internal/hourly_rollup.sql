create or replace function internal.hourly_rollup(
    p_kinds bigint[], p_series bigint[], p_from timestamptz, p_to timestamptz
)
returns setof data.rollup
language plpgsql stable
as $$
declare
    c_hour constant interval := interval '1 hour';
    v_from constant timestamptz := time_bucket(c_hour, p_from + c_hour - interval '1 microsecond');
    -- Above its watermark the rollup reads by the watermark of a newer snapshot than this one.
    v_to constant timestamptz := least(time_bucket(c_hour, p_to), internal.watermark('sample_1h'));
    v_kinds constant bigint [] := p_kinds
        || array(select distinct kind_id from data.series where series_id = any(p_series));
    v_late record;
begin
    if v_from >= v_to then
        return query select * from internal.raw_rollup(p_kinds, p_series, p_from, p_to, c_hour);
        return;
    end if;
    return query
    select
        hour.kind_id, hour.series_id, hour.bucket, hour.observations, hour.value_count, hour.value_sum,
        hour.squared_deviations, hour.value_min, hour.value_max, hour.value_last, hour.value_last_at,
        hour.last_at, hour.value_first, hour.value_first_at, hour.increase, hour.sketch
    from data.sample_1h as hour
    where hour.kind_id = any(p_kinds)
        and hour.bucket >= v_from and hour.bucket < v_to
        and not exists (
            select from data.late where late.kind_id = hour.kind_id and late.bucket = hour.bucket
        );
    return query
    select
        hour.kind_id, hour.series_id, hour.bucket, hour.observations, hour.value_count, hour.value_sum,
        hour.squared_deviations, hour.value_min, hour.value_max, hour.value_last, hour.value_last_at,
        hour.last_at, hour.value_first, hour.value_first_at, hour.increase, hour.sketch
    from data.sample_1h as hour
    where hour.series_id = any(p_series)
        and hour.bucket >= v_from and hour.bucket < v_to
        and not exists (
            select from data.late where late.kind_id = hour.kind_id and late.bucket = hour.bucket
        );

    -- The rest comes from samples: the parts of an hour at both ends, and late hours.
    return query select * from internal.raw_rollup(p_kinds, p_series, p_from, v_from, c_hour);
    return query select * from internal.raw_rollup(p_kinds, p_series, v_to, p_to, c_hour);
    for v_late in
        select
            hours,
            array(select unnest(p_kinds) intersect select unnest(kinds)) as kinds,
            array(
                select series.series_id
                from data.series
                where series.series_id = any(p_series) and series.kind_id = any(late.kinds)
            ) as series
        from (
            select
                hours,
                array_agg(kind_id) as kinds
            from (
                select
                    kind_id,
                    unnest(range_agg(tstzrange(bucket, bucket + c_hour))) as hours
                from data.late
                where kind_id = any(v_kinds) and bucket >= v_from and bucket < v_to
                group by kind_id
            ) as late_kind
            group by hours
        ) as late
    loop
        return query select * from internal.raw_rollup(
            v_late.kinds, v_late.series, lower(v_late.hours), upper(v_late.hours), c_hour
        );
    end loop;
end
$$;
comment on function internal.hourly_rollup(bigint[], bigint[], timestamptz, timestamptz) is
'Hours of all series of p_kinds, and of p_series, in [p_from, p_to): from the hourly rollup; from the
samples for parts of an hour, above the watermark, and for hours that got late samples.';
