create or replace function internal.rollup(
    p_kinds integer[], p_series integer[], p_from timestamptz, p_to timestamptz
)
returns setof data.rollup
language plpgsql stable
as $$
declare
    v_from constant timestamptz := time_bucket(interval '1 day', p_from + interval '1 day - 1 microsecond');
    v_to constant timestamptz := least(
        time_bucket(interval '1 day', p_to), internal.watermark('sample_1d'), internal.watermark('kind_1d')
    );
    v_kinds constant integer [] := p_kinds
        || array(select distinct kind_id from data.series where series_id = any(p_series));
    v_late timestamptz [];
    v_run record;
begin
    if v_from >= v_to then
        return query select * from internal.hourly_rollup(p_kinds, p_series, p_from, p_to);
        return;
    end if;

    v_late := array(
        select distinct time_bucket(interval '1 day', bucket)
        from data.late
        where kind_id = any(v_kinds) and bucket >= v_from and bucket < v_to
    );
    return query
    select
        day.kind_id, null::integer, day.bucket, day.count, day.value_count, day.sum, day.m2,
        day.min, day.max, day.last, day.last_at, null::double precision, null::double precision,
        day.sketch
    from data.kind_1d as day
    where day.kind_id = any(p_kinds)
        and day.bucket >= v_from and day.bucket < v_to
        and day.bucket <> all(v_late);
    return query
    select
        day.kind_id, day.series_id, day.bucket, day.count, day.value_count, day.sum, day.m2,
        day.min, day.max, day.last, day.last_at, day.first, day.increase, day.sketch
    from data.sample_1d as day
    where day.series_id = any(p_series)
        and day.bucket >= v_from and day.bucket < v_to
        and day.bucket <> all(v_late);

    return query select * from internal.hourly_rollup(p_kinds, p_series, p_from, v_from);
    return query select * from internal.hourly_rollup(p_kinds, p_series, v_to, p_to);
    for v_run in
        select
            min(day) as day_from,
            max(day) + interval '1 day' as day_to
        from (
            select
                day,
                -- Equal for days that follow each other.
                day - row_number() over (order by day) * interval '1 day' as run
            from unnest(v_late) as day
        ) as days
        group by run
    loop
        return query select * from internal.hourly_rollup(
            p_kinds, p_series, v_run.day_from, v_run.day_to
        );
    end loop;
end
$$;
comment on function internal.rollup(integer[], integer[], timestamptz, timestamptz) is
'What [p_from, p_to) is made of: whole days of kinds and of further series, hours at the ends.';
