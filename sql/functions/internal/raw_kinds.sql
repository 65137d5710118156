create or replace function internal.raw_kinds(
    p_kinds bigint[], p_from timestamptz, p_to timestamptz, p_statistics text[]
)
returns setof data.rollup
language sql stable
begin atomic
    -- The expressions of data.sample_1h in 0004_rollups.sql, without those that need an order of the
    -- samples: the newest value is looked up by the index.
    select
        total.kind_id,
        null::bigint,
        p_from,
        total.observations,
        total.value_count,
        total.value_sum,
        total.squared_deviations,
        total.value_min,
        total.value_max,
        newest.value_last,
        total.value_last_at,
        total.last_at,
        null::double precision,
        null::timestamptz,
        null::double precision,
        total.sketch,
        total.sketch_other
    from (
        select
            kind_id,
            sum(observations) as observations,
            coalesce(sum(observations) filter (where value is not null), 0) as value_count,
            sum(value) as value_sum,
            var_pop(value) filter (
                where sketch is null and (select internal.needs(p_statistics, '{stddev}'))
            ) * count(value) as squared_deviations,
            min(case when sketch is null then value else low end) as value_min,
            max(case when sketch is null then value else high end) as value_max,
            max(ts) filter (where value is not null and sketch is null) as value_last_at,
            max(ts) as last_at,
            sum(coalesce(sketch, internal.sketch(value)))
            filter (where (select internal.needs(p_statistics, '{p50,p90,p95,p99}'))) as sketch,
            sum(case when sketch is null then internal.sketch_other(value) else sketch_other end)
            filter (where (select internal.needs(p_statistics, '{p50,p90,p95,p99}'))) as sketch_other
        from data.sample
        where cardinality(p_kinds) > 0 and kind_id = any(p_kinds) and ts >= p_from and ts < p_to
        group by kind_id
    ) as total
    cross join lateral (
        select max(sample.value) as value_last
        from data.sample
        where
            sample.kind_id = total.kind_id
            and sample.ts = total.value_last_at
            -- Excludes chunks when the query is planned.
            and sample.ts >= p_from
            and sample.ts < p_to
            and sample.sketch is null
            and (select internal.needs(p_statistics, '{last}'))
    ) as newest;
end;
comment on function internal.raw_kinds(bigint[], timestamptz, timestamptz, text[]) is
'One bucket for all samples of a kind in [p_from, p_to), for each of p_kinds. What p_statistics does not
name is null, null means all.';
