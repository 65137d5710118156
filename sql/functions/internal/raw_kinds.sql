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
            sum(observations)::bigint as observations,
            sum(value_count)::bigint as value_count,
            sum(value_sum) as value_sum,
            case when sum(value_count) > 0 then (
                internal.merge_moments(array[value_count, value_sum, squared_deviations])
                filter (where value_count > 0)
            )[3] end as squared_deviations,
            min(value_min) as value_min,
            max(value_max) as value_max,
            max(value_last_at) as value_last_at,
            max(last_at) as last_at,
            sum(value_count * internal.sketch(value_min)) as sketch,
            sum(value_count * internal.sketch_other(value_min)) as sketch_other
        from (
            -- By bin: a sketch for each of them, not for each value. TimescaleDB computes this for a batch
            -- of rows at once, but not where a parameter is in an expression.
            select
                kind_id,
                sum(observations) as observations,
                count(value) as value_count,
                sum(value) as value_sum,
                var_pop(value) * count(value) as squared_deviations,
                min(value) as value_min,
                max(value) as value_max,
                max(ts) filter (where value is not null) as value_last_at,
                max(ts) as last_at
            from data.sample
            where
                kind_id = any(
                    array(
                        select every_kind.kind_id from data.every_kind
                        where every_kind.kind_id = any(p_kinds) and type <> 'histogram'
                    )
                )
                and ts >= p_from
                and ts < p_to
            group by kind_id, internal.shared_bin(value)
        ) as bin
        group by kind_id
        union all
        select
            kind_id,
            sum(observations),
            coalesce(sum(observations) filter (where value is not null), 0),
            sum(value),
            null,
            min(case when sketch is null then value else low end),
            max(case when sketch is null then value else high end),
            null,
            max(ts),
            sum(sketch),
            sum(sketch_other)
        from data.sample
        where
            kind_id = any(
                array(
                    select every_kind.kind_id from data.every_kind
                    where every_kind.kind_id = any(p_kinds) and type = 'histogram'
                )
            )
            and ts >= p_from
            and ts < p_to
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
            and (select internal.needs(p_statistics, '{last}'))
    ) as newest;
end;
comment on function internal.raw_kinds(bigint[], timestamptz, timestamptz, text[]) is
'One bucket for all samples of a kind in [p_from, p_to), for each of p_kinds. What p_statistics does not
name may be null, null means all.';
