create or replace function internal.measure_kpis(
    p_kpis bigint[], p_from timestamptz, p_to timestamptz, p_seconds double precision
)
returns setof data.kpi_part
language sql stable
begin atomic
    with term as materialized (
        select * from internal.kpi_terms(p_kpis)
    ),

    -- KPIs that look at the same series share what is computed.
    need as (
        select
            filter,
            array_agg(distinct kind_id) as kinds,
            bool_or(statistic = 'increase') as grows
        from term
        group by filter
    ),

    measured as materialized (
        select
            need.filter,
            (part.statistics).kind_id,
            (part.statistics).label as source,
            (part.statistics).count::double precision as count,
            (part.statistics).sum,
            -- Fifteen digits: the product of a quotient is not always what was divided.
            ((part.statistics).rate_per_second * p_seconds)::numeric::double precision as increase
        from need
        cross join lateral internal.window_statistics(
            '{}', need.kinds, internal.rule_series(need.kinds, need.filter), 'source',
            array[p_from, p_to], array[p_seconds],
            array['count', 'sum', case when need.grows then 'rate_per_second' end], false
        ) as part
    ),

    picked as (
        select
            term.kpi_id,
            term.role,
            measured.source,
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
        null::timestamptz,
        sum(value) filter (where role = 'numerator'),
        sum(value) filter (where role = 'denominator')
    from picked
    group by kpi_id, source;
end;
comment on function internal.measure_kpis(bigint[], timestamptz, timestamptz, double precision) is
'What each source adds to KPIs in [p_from, p_to), which is p_seconds long. A number is null where the source
has nothing to add up.';
