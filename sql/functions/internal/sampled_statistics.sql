create or replace function internal.sampled_statistics(
    p_kinds bigint[],
    p_series bigint[],
    p_group_by text,
    p_window interval,
    p_from timestamptz,
    p_to timestamptz,
    p_step interval,
    p_statistics text[]
)
returns table (at timestamptz, statistics data.statistics)
language sql stable
begin atomic
    with reading as materialized (
        select
            sample.kind_id,
            sample.series_id,
            sample.ts,
            sample.value,
            sample.observations,
            sample.counter,
            sample.low,
            sample.high,
            sample.sketch,
            sample.sketch_other
        from data.sample
        where
            sample.kind_id = any(p_kinds)
            and (p_series is null or sample.series_id = any(p_series))
            and sample.ts > p_from - p_window
            and sample.ts <= p_to
    ),

    counter as (
        select
            series_id,
            ts,
            value
        from reading
        where counter
        union all
        -- What a counter has grown by its first reading, it has since the one before.
        select
            series_id,
            ts,
            value
        from data.sample
        where
            kind_id = any(array(
                select kind_id from data.kind
                where kind_id = any(p_kinds) and type = 'counter' and 'rate_per_second' = any(p_statistics)
            ))
            and (p_series is null or series_id = any(p_series))
            and ts > p_from - p_window - internal.growth_reach(p_window)
            and ts <= p_from - p_window
    ),

    member as (
        select
            series.series_id,
            case
                when p_group_by = 'source' then source.name
                when p_group_by is not null
                    then coalesce(series.labels ->> substr(p_group_by, length('label.') + 1), '')
            end as label
        from data.series
        inner join data.source on series.source_id = source.source_id
        where p_group_by is not null and series.kind_id = any(p_kinds)
    ),

    growth as materialized (
        select
            series_id,
            ts,
            lag(ts) over earlier as since,
            internal.growth(
                value,
                lag(value) over earlier,
                extract(epoch from ts - lag(ts) over earlier)::double precision,
                extract(epoch from p_window)::double precision
            ) as increase
        from counter
        window earlier as (partition by series_id order by ts)
    ),

    placed as (
        select
            instant.at,
            reading.kind_id,
            reading.series_id,
            reading.ts,
            reading.value,
            reading.observations,
            reading.low,
            reading.high,
            reading.sketch,
            reading.sketch_other
        from reading
        cross join
            lateral generate_series(
                -- The first instant at or after the sample; its window reaches back to it.
                greatest(p_from, date_bin(p_step, reading.ts - interval '1 microsecond', p_from) + p_step),
                least(p_to, reading.ts + p_window - interval '1 microsecond'),
                p_step
            ) as instant (at)
        where p_from < p_to
        union all
        select
            p_to,
            kind_id,
            series_id,
            ts,
            value,
            observations,
            low,
            high,
            sketch,
            sketch_other
        from reading
        where p_from = p_to
    ),

    total as (
        select
            placed.at,
            placed.kind_id,
            member.label,
            sum(placed.observations)::bigint as count,
            sum(placed.value) as sum,
            internal.quotient(
                sum(placed.value),
                (sum(placed.observations) filter (where placed.value is not null))::double precision
            ) as avg,
            min(case when placed.sketch is null then placed.value else placed.low end) as min,
            max(case when placed.sketch is null then placed.value else placed.high end) as max,
            last(placed.value, row(placed.ts, placed.value))
            filter (
                where 'last' = any(p_statistics) and placed.value is not null and placed.sketch is null
            ) as last,
            max(placed.ts) as newest,
            array_agg(placed.value order by placed.value) filter (
                where p_statistics && '{p50,p90,p95,p99}'
                and placed.sketch is null
                and placed.value is not null
            ) as values,
            sum(placed.sketch) filter (where p_statistics && '{p50,p90,p95,p99}') as sketch,
            sum(placed.sketch_other) filter (where p_statistics && '{p50,p90,p95,p99}') as sketch_other
        from placed
        left join member on placed.series_id = member.series_id
        group by placed.at, placed.kind_id, member.label
    ),

    grown as (
        select
            instant.at,
            series.kind_id,
            member.label,
            sum(growth.increase) as increase
        from growth
        cross join
            lateral generate_series(
                greatest(p_from, date_bin(p_step, growth.ts - interval '1 microsecond', p_from) + p_step),
                least(
                    p_to,
                    growth.ts + p_window - interval '1 microsecond',
                    growth.since + p_window + internal.growth_reach(p_window) - interval '1 microsecond'
                ),
                p_step
            ) as instant (at)
        inner join data.series on growth.series_id = series.series_id
        left join member on growth.series_id = member.series_id
        where growth.since is not null
        group by instant.at, series.kind_id, member.label
    )

    select
        total.at,
        row(
            total.kind_id,
            total.label,
            total.count,
            total.sum,
            case
                when kind.type = 'histogram' then total.avg
                else greatest(total.min, least(total.max, total.avg))
            end,
            nullif(total.min, '-infinity'),
            nullif(total.max, 'infinity'),
            null,
            total.last,
            coalesce(p[1], internal.array_quantile(total.values, 0.50)),
            coalesce(p[2], internal.array_quantile(total.values, 0.90)),
            coalesce(p[3], internal.array_quantile(total.values, 0.95)),
            coalesce(p[4], internal.array_quantile(total.values, 0.99)),
            internal.quotient(
                case kind.type when 'counter' then coalesce(grown.increase, 0) else total.count end,
                extract(epoch from p_window)::double precision
            ),
            total.newest,
            null
        )::data.statistics
    from total
    inner join data.kind on total.kind_id = kind.kind_id
    left join grown
        on
            total.at = grown.at
            and total.kind_id = grown.kind_id
            and total.label is not distinct from grown.label
    cross join lateral internal.sketch_quantiles(
        total.count, total.sketch, total.sketch_other, total.min, total.max, p_statistics
    ) as p;
end;
comment on function internal.sampled_statistics(
    bigint[], bigint[], text, interval, timestamptz, timestamptz, interval, text[]
) is
'Statistics of kinds, by group, computed from the samples of (at - p_window, at] for each instant at of
p_from, p_from + p_step and so on up to p_to. p_series null means all series. last, percentiles and the growth of
counters are computed where p_statistics names them, growth as rate_per_second; percentiles are exact but
for histograms. stddev is null.';
