create or replace function internal.window_statistics(
    p_kinds bigint[],
    p_series bigint[],
    p_group_by text,
    p_from timestamptz,
    p_to timestamptz,
    p_seconds double precision,
    p_percentiles boolean
)
returns setof data.statistics
language plpgsql stable
as $$
begin
    return query
    with bucket as materialized (
        select
            rollup.*,
            case
                when p_group_by = 'source' then source.name
                when p_group_by is not null
                    then coalesce(series.labels ->> substr(p_group_by, length('label.') + 1), '')
            end as label,
            -- A first reading below the last one of the bucket before follows a reset to zero.
            case
                when rollup.value_first >= lag(rollup.value_last) over earlier
                    then rollup.value_first - lag(rollup.value_last) over earlier
                when lag(rollup.value_last) over earlier is not null then rollup.value_first
                else 0
            end as increase_before
        from internal.rollup(p_kinds, p_series, p_from, p_to) as rollup
        left join data.series on p_group_by is not null and rollup.series_id = series.series_id
        left join data.source on series.source_id = source.source_id
        window earlier as (partition by rollup.series_id order by rollup.last_at)
    ),

    total as (
        select
            kind_id,
            label,
            sum(observations)::bigint as count,
            sum(value_sum) as sum,
            internal.quotient(sum(value_sum), sum(value_count)::double precision) as avg,
            min(value_min) as min,
            max(value_max) as max,
            -- Histograms have no squared deviations.
            case when bool_and(squared_deviations is not null or value_count = 0) then
                internal.merge_moments(array[value_count, value_sum, squared_deviations])
                filter (where squared_deviations is not null and value_count > 0)
            end as moments,
            (array_agg(value_last order by last_at desc) filter (where value_last is not null))[1] as last,
            max(last_at) as newest,
            sum(increase + increase_before) as increase
        from bucket
        group by kind_id, label
    ),

    bin as (
        select
            bucket.kind_id,
            bucket.label,
            entry >> 44 as bin,
            sum(entry & 17592186044415) as n
        from bucket
        cross join unnest(bucket.sketch) as entry
        where p_percentiles
        group by bucket.kind_id, bucket.label, entry >> 44
    ),

    ranked as (
        select
            kind_id,
            label,
            bin,
            sum(n) over (partition by kind_id, label order by bin) as upto,
            sum(n) over (partition by kind_id, label) as n
        from bin
    ),

    quantile as (
        -- Linear interpolation between the two nearest ranks, as numpy and percentile_cont do.
        select
            kind_id,
            label,
            q,
            internal.bin_value(min(bin) filter (where upto > floor(q * (n - 1)))) as below,
            internal.bin_value(min(bin) filter (where upto > ceil(q * (n - 1)))) as above,
            max(q * (n - 1) - floor(q * (n - 1)))::double precision as share
        from ranked
        cross join unnest(array[0.50, 0.90, 0.95, 0.99]) as q
        group by kind_id, label, q
    ),

    percentile as (
        select
            total.kind_id,
            total.label,
            array_agg(
                greatest(total.min, least(total.max, below + (above - below) * share)) order by q
            ) as p
        from quantile
        inner join total
            on quantile.kind_id = total.kind_id and quantile.label is not distinct from total.label
        group by total.kind_id, total.label
    )

    select
        total.kind_id,
        total.label,
        total.count,
        total.sum,
        -- Rounding may move the quotient of a sum past the extremes; a histogram's are its bounds.
        case
            when kind.type = 'histogram' then total.avg
            else greatest(total.min, least(total.max, total.avg))
        end,
        total.min,
        total.max,
        -- The quotient of the two may be too small for a number; that of their roots is not.
        sqrt(total.moments[3]) / nullif(sqrt(total.moments[1]), 0),
        total.last,
        percentile.p[1],
        percentile.p[2],
        percentile.p[3],
        percentile.p[4],
        internal.quotient(case kind.type when 'counter' then total.increase else total.count end, p_seconds),
        total.newest
    from total
    inner join data.kind on total.kind_id = kind.kind_id
    left join percentile
        on total.kind_id = percentile.kind_id and total.label is not distinct from percentile.label;
end
$$;
comment on function internal.window_statistics(
    bigint[], bigint[], text, timestamptz, timestamptz, double precision, boolean
) is
'Statistics of all series of p_kinds, and of p_series, in [p_from, p_to), by kind and group.
stddev is that of the population. A rate is observations per second, for a counter its growth per
second. Percentiles are null unless p_percentiles.';
