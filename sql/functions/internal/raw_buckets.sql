create or replace function internal.raw_buckets(
    p_kinds bigint[],
    p_series bigint[],
    p_by_series boolean,
    p_from timestamptz,
    p_to timestamptz,
    p_width interval,
    p_statistics text[]
)
returns setof data.rollup
language sql stable
begin atomic
    -- The expressions of data.sample_1h in 0004_rollups.sql: a continuous aggregate cannot share
    -- them with a function. A test compares the results.
    select
        min(kind_id),
        series_id,
        case when p_width is null then p_from else time_bucket(p_width, ts) end,
        sum(observations),
        coalesce(sum(observations) filter (where value is not null), 0),
        sum(value),
        var_pop(value) filter (
            where sketch is null and (select internal.needs(p_statistics, '{stddev}'))
        ) * count(value),
        min(case when sketch is null then value else low end),
        max(case when sketch is null then value else high end),
        coalesce(
            -- A metric has one value at a time, facts may have several.
            last(value, ts) filter (
                where value is not null and sketch is null and seq = 0
                and (select internal.needs(p_statistics, '{last,rate_per_second}'))
            ),
            (
                max(array[extract(epoch from ts)::double precision, value]) filter (
                    where value is not null and sketch is null and seq > 0
                    and (select internal.needs(p_statistics, '{last,rate_per_second}'))
                )
            )[2]
        ),
        max(ts) filter (where value is not null and sketch is null),
        max(ts),
        first(value, ts) filter (where counter),
        min(ts) filter (where counter),
        internal.increase(
            array_agg(ts) filter (where counter), array_agg(value) filter (where counter)
        ),
        sum(coalesce(sketch, internal.sketch(value)))
        filter (where (select internal.needs(p_statistics, '{p50,p90,p95,p99}'))),
        sum(case when sketch is null then internal.sketch_other(value) else sketch_other end)
        filter (where (select internal.needs(p_statistics, '{p50,p90,p95,p99}')))
    from data.sample
    where
        kind_id = any(p_kinds)
        and ts >= p_from
        and ts < p_to
        -- Each half has an index of series.
        and (not p_by_series or series_id = any(p_series) and (seq = 0 or seq > 0))
    group by series_id, case when p_width is null then p_from else time_bucket(p_width, ts) end;
end;
comment on function internal.raw_buckets(
    bigint[], bigint[], boolean, timestamptz, timestamptz, interval, text[]
) is
'Buckets of p_width, or one where it is null, by series of p_kinds, where p_by_series (a literal, for the
planner) of those in p_series, computed from the samples of [p_from, p_to). What p_statistics does not name is
null, null means all.';
