create or replace function internal.rollup(
    p_whole bigint[], p_kinds bigint[], p_series bigint[], p_from timestamptz, p_to timestamptz
)
returns setof data.rollup
language plpgsql stable
as $$
declare
    c_day constant interval := interval '24 hours';
    v_from constant timestamptz := time_bucket(c_day, p_from + c_day - interval '1 microsecond');
    v_to constant timestamptz := least(
        time_bucket(c_day, p_to), internal.watermark('sample_1d'), internal.watermark('kind_1d')
    );
    v_kinds constant bigint [] := p_whole || p_kinds
        || array(select distinct kind_id from data.series where series_id = any(p_series));
    v_late timestamptz [];
    v_days tstzrange;
begin
    if v_from >= v_to then
        return query select * from internal.hourly_rollup(p_whole || p_kinds, p_series, p_from, p_to);
        return;
    end if;

    v_late := array(
        select distinct time_bucket(c_day, bucket)
        from data.late
        where kind_id = any(v_kinds) and bucket >= v_from and bucket < v_to
    );
    return query
    select
        day.kind_id, null::bigint, day.bucket, day.observations, day.value_count, day.value_sum,
        day.squared_deviations, day.value_min, day.value_max, day.value_last, day.value_last_at,
        day.last_at, null::double precision, null::timestamptz, null::double precision, day.sketch
    from data.kind_1d as day
    where day.kind_id = any(p_whole)
        and day.bucket >= v_from and day.bucket < v_to
        and day.bucket <> all(v_late);
    return query
    select
        day.kind_id, day.series_id, day.bucket, day.observations, day.value_count, day.value_sum,
        day.squared_deviations, day.value_min, day.value_max, day.value_last, day.value_last_at,
        day.last_at, day.value_first, day.value_first_at, day.increase, day.sketch
    from data.sample_1d as day
    where day.kind_id = any(p_kinds)
        and day.bucket >= v_from and day.bucket < v_to
        and day.bucket <> all(v_late);
    return query
    select
        day.kind_id, day.series_id, day.bucket, day.observations, day.value_count, day.value_sum,
        day.squared_deviations, day.value_min, day.value_max, day.value_last, day.value_last_at,
        day.last_at, day.value_first, day.value_first_at, day.increase, day.sketch
    from data.sample_1d as day
    where day.series_id = any(p_series)
        and day.bucket >= v_from and day.bucket < v_to
        and day.bucket <> all(v_late);

    return query select * from internal.hourly_rollup(p_whole || p_kinds, p_series, p_from, v_from);
    return query select * from internal.hourly_rollup(p_whole || p_kinds, p_series, v_to, p_to);
    for v_days in
        select unnest(range_agg(tstzrange(day, day + c_day))) from unnest(v_late) as day
    loop
        return query select * from internal.hourly_rollup(
            p_whole || p_kinds, p_series, lower(v_days), upper(v_days)
        );
    end loop;
end
$$;
comment on function internal.rollup(bigint[], bigint[], bigint[], timestamptz, timestamptz) is
'Buckets that cover [p_from, p_to), whole days and hours at both ends: of all series of p_whole and
p_kinds, and of p_series. Days of p_whole contain all series of the kind.';
