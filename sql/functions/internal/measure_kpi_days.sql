create or replace function internal.measure_kpi_days(
    p_kpis bigint[], p_from timestamptz, p_to timestamptz
)
returns setof data.kpi_part
language sql stable
begin atomic
    with term as materialized (
        select * from internal.kpi_terms(p_kpis)
    ),

    need as (
        select
            filter,
            array_agg(distinct kind_id) as kinds,
            bool_or(statistic = 'increase') as grows
        from term
        group by filter
    ),

    bucket as materialized (
        select
            need.filter,
            time_bucket(interval '24 hours', rollup.bucket) as day,
            rollup.*,
            lag(rollup.value_last) over earlier as value_before,
            lag(rollup.value_last_at) over earlier as value_before_at
        from need
        cross join
            lateral internal.rollup(
                '{}', need.kinds, internal.rule_series(need.kinds, need.filter),
                -- What a counter has grown by its first reading, it has since the one of the day before.
                p_from - case when need.grows then interval '24 hours' else '0' end, p_to, null,
                interval '24 hours',
                array['count', 'sum', case when need.grows then 'rate_per_second' end]
            ) as rollup
        window earlier as (
            partition by need.filter, rollup.series_id, rollup.value_first is null
            order by rollup.value_last_at
        )
    ),

    measured as materialized (
        select
            bucket.filter,
            bucket.kind_id,
            bucket.day,
            source.name as source,
            sum(bucket.observations)::double precision as count,
            sum(bucket.value_sum) as sum,
            sum(
                bucket.increase + case
                    when bucket.value_before_at >= bucket.day - interval '24 hours'
                        then internal.growth(bucket.value_first, bucket.value_before, null, null)
                    else 0
                end
            ) as increase
        from bucket
        inner join data.series on bucket.series_id = series.series_id
        inner join data.source on series.source_id = source.source_id
        where bucket.day >= p_from
        group by bucket.filter, bucket.kind_id, bucket.day, source.name
    ),

    picked as (
        select
            term.kpi_id,
            term.role,
            measured.source,
            measured.day,
            case term.statistic
                when 'count' then measured.count
                when 'sum' then measured.sum
                when 'increase' then measured.increase
            end as value
        from term
        inner join measured on term.kind_id = measured.kind_id and term.filter = measured.filter
    )

    select
        kpi_id,
        source,
        day,
        sum(value) filter (where role = 'numerator'),
        sum(value) filter (where role = 'denominator')
    from picked
    group by kpi_id, source, day;
end;
comment on function internal.measure_kpi_days(bigint[], timestamptz, timestamptz) is
'What each source adds to KPIs on each day, UTC, of [p_from, p_to), which begins with a day; see
internal.measure_kpis. A counter grows on the day of the later one of two readings, and not over more than
a day without any.';
