create or replace function internal.raw_kinds(
    p_kinds bigint[], p_from timestamptz, p_to timestamptz, p_histograms boolean, p_newest boolean
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
        case when p_newest then (
            internal.newest_values(array[total.kind_id], array[total.value_last_at])
        )[1] end,
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
            coalesce(sum(observations) filter (where value_min is not null), 0)::bigint as value_count,
            sum(value_sum) as value_sum,
            case when count(value_min) > 0 then (
                internal.merge_moments(array[observations, value_sum, variance * observations])
                filter (where value_min is not null)
            )[3] end as squared_deviations,
            min(value_min) as value_min,
            max(value_max) as value_max,
            max(last_at) filter (where value_min is not null) as value_last_at,
            max(last_at) as last_at,
            sum(observations * internal.sketch(value_min)) as sketch,
            sum(observations * internal.sketch_other(value_min)) as sketch_other
        from (
            -- By bin: a sketch for each of them, not for each value. TimescaleDB computes this for a batch
            -- of rows at once, but not where a parameter is in an expression. Each sample is one observation
            -- here, and those without a value have a bin of their own.
            select
                kind_id,
                count(*) as observations,
                sum(value) as value_sum,
                var_pop(value) as variance,
                min(value) as value_min,
                max(value) as value_max,
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
                and p_histograms is not true
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
            and p_histograms is not false
        group by kind_id
    ) as total;
end;
comment on function internal.raw_kinds(bigint[], timestamptz, timestamptz, boolean, boolean) is
'One bucket for all samples of a kind in [p_from, p_to), for each of p_kinds: only of histograms where
p_histograms, and only of the other kinds where it is false. value_last is null unless p_newest. Both are
literals, for the planner.';
