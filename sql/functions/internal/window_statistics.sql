create or replace function internal.window_statistics(
    p_whole bigint[],
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
        from internal.rollup(p_whole, p_kinds, p_series, p_from, p_to) as rollup
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
            -- In the order of the rollups: at equal times the greatest value.
            (
                array_agg(value_last order by value_last_at desc, value_last desc)
                filter (where value_last is not null)
            )[1] as last,
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

    neighbour as (
        -- The two ranks that a percentile lies between, as in numpy and percentile_cont.
        select
            kind_id,
            label,
            q,
            n,
            floor(q * (n - 1)) as lower_rank,
            ceil(q * (n - 1)) as upper_rank,
            internal.bin_value(min(bin) filter (where upto > floor(q * (n - 1)))) as below,
            internal.bin_value(min(bin) filter (where upto > ceil(q * (n - 1)))) as above,
            (q * (n - 1) - floor(q * (n - 1)))::double precision as share
        from ranked
        cross join unnest(array[0.50, 0.90, 0.95, 0.99]) as q
        group by kind_id, label, q, n
    ),

    quantile as (
        select
            neighbour.kind_id,
            neighbour.label,
            neighbour.q,
            neighbour.share,
            -- The extremes are exact; those of a histogram are bounds.
            kind.type <> 'histogram' and neighbour.lower_rank = 0 as below_exact,
            kind.type <> 'histogram' and neighbour.upper_rank = neighbour.n - 1 as above_exact,
            case
                when kind.type <> 'histogram' and neighbour.lower_rank = 0 then total.min
                when kind.type <> 'histogram' and neighbour.lower_rank = neighbour.n - 1 then total.max
                else greatest(total.min, least(total.max, neighbour.below))
            end as below,
            case
                when kind.type <> 'histogram' and neighbour.upper_rank = 0 then total.min
                when kind.type <> 'histogram' and neighbour.upper_rank = neighbour.n - 1 then total.max
                else greatest(total.min, least(total.max, neighbour.above))
            end as above
        from neighbour
        inner join total
            on neighbour.kind_id = total.kind_id and neighbour.label is not distinct from total.label
        inner join data.kind on neighbour.kind_id = kind.kind_id
    ),

    percentile as (
        select
            kind_id,
            label,
            array_agg(
                -- Nothing is known of the values in an open bucket of a histogram.
                case
                    when below > '-infinity' and above < 'infinity'
                        then greatest(below, least(above, below + (above - below) * share))
                end
                order by q
            ) as p,
            -- Between values of one sign the error is at most that of both of them.
            bool_and(
                below >= 0 or above <= 0 or share = 0 or (below_exact and above_exact)
            ) as bounded
        from quantile
        group by kind_id, label
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
        nullif(total.min, '-infinity'),
        nullif(total.max, 'infinity'),
        -- The quotient of the two may be too small for a number; that of their roots is not.
        sqrt(total.moments[3]) / nullif(sqrt(total.moments[1]), 0),
        total.last,
        percentile.p[1],
        percentile.p[2],
        percentile.p[3],
        percentile.p[4],
        internal.quotient(case kind.type when 'counter' then total.increase else total.count end, p_seconds),
        total.newest,
        coalesce(percentile.bounded, true)
    from total
    inner join data.kind on total.kind_id = kind.kind_id
    left join percentile
        on total.kind_id = percentile.kind_id and total.label is not distinct from percentile.label;
end
$$;
comment on function internal.window_statistics(
    bigint[], bigint[], bigint[], text, timestamptz, timestamptz, double precision, boolean
) is
'Statistics in [p_from, p_to), by kind and group, of all series of p_whole and p_kinds and of p_series.
p_whole is faster, but has no groups and no growth of counters. stddev is that of the population. A
rate is observations per second, for a counter its growth per second. Percentiles are null unless
p_percentiles, and where they lie in an open bucket of a histogram. last is the newest value, the
greatest of several at that time; null for histograms.';
