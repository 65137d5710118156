create or replace function internal.core(
    p_kinds integer[],
    p_series integer[],
    p_group_by text,
    p_from timestamptz,
    p_to timestamptz,
    p_seconds double precision
)
returns setof data.core
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
            -- A fall below the last reading of the bucket before is a reset to zero.
            case
                when rollup.first >= lag(rollup.last) over earlier
                    then rollup.first - lag(rollup.last) over earlier
                when lag(rollup.last) over earlier is not null then rollup.first
                else 0
            end as step
        from internal.rollup(p_kinds, p_series, p_from, p_to) as rollup
        left join data.series on p_group_by is not null and rollup.series_id = series.series_id
        left join data.source on series.source_id = source.source_id
        window earlier as (partition by rollup.series_id order by rollup.last_at)
    ),

    total as (
        select
            kind_id,
            label,
            sum(count)::bigint as count,
            sum(value_count) as value_count,
            sum(sum) as sum,
            internal.quotient(sum(sum), sum(value_count)::double precision) as avg,
            min(min) as min,
            max(max) as max,
            (array_agg(last order by last_at desc) filter (where last is not null))[1] as last,
            max(last_at) as newest,
            sum(increase + step) as increase
        from bucket
        group by kind_id, label
    ),

    spread as (
        -- Chan, Golub, LeVeque (1979): deviations of parts about their means, and of those means.
        select
            total.kind_id,
            total.label,
            case when bool_and(bucket.m2 is not null) then sqrt(sum(
                bucket.m2
                + bucket.value_count
                * internal.square(internal.quotient(bucket.sum, bucket.value_count) - total.avg)
            ) / sum(bucket.value_count)) end as stddev
        from bucket
        inner join total
            on bucket.kind_id = total.kind_id and bucket.label is not distinct from total.label
        where bucket.value_count > 0
        group by total.kind_id, total.label
    ),

    bin as (
        select
            bucket.kind_id,
            bucket.label,
            entry >> 44 as bin,
            sum(entry & 17592186044415) as n
        from bucket
        cross join unnest(bucket.sketch) as entry
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
            ranked.kind_id,
            ranked.label,
            q,
            internal.bin_value(min(bin) filter (where upto > floor(q * (n - 1)))) as below,
            internal.bin_value(min(bin) filter (where upto > ceil(q * (n - 1)))) as above,
            max(q * (n - 1) - floor(q * (n - 1)))::double precision as share
        from ranked
        cross join (values (0.50), (0.90), (0.95), (0.99)) as wanted (q)
        group by ranked.kind_id, ranked.label, q
    ),

    percentile as (
        select
            quantile.kind_id,
            quantile.label,
            jsonb_object_agg(
                q, greatest(total.min, least(total.max, below + (above - below) * share))
            ) as p
        from quantile
        inner join total
            on quantile.kind_id = total.kind_id and quantile.label is not distinct from total.label
        group by quantile.kind_id, quantile.label
    )

    select
        total.kind_id,
        total.label,
        total.count,
        total.sum,
        -- The quotient of a sum may miss the extremes by a rounding; those of a histogram are its bounds.
        case
            when kind.type = 'histogram' then total.avg
            else greatest(total.min, least(total.max, total.avg))
        end,
        total.min,
        total.max,
        spread.stddev,
        total.last,
        (percentile.p ->> '0.50')::double precision,
        (percentile.p ->> '0.90')::double precision,
        (percentile.p ->> '0.95')::double precision,
        (percentile.p ->> '0.99')::double precision,
        internal.quotient(case kind.type when 'counter' then total.increase else total.count end, p_seconds),
        total.newest
    from total
    inner join data.kind on total.kind_id = kind.kind_id
    left join spread
        on total.kind_id = spread.kind_id and total.label is not distinct from spread.label
    left join percentile
        on total.kind_id = percentile.kind_id and total.label is not distinct from percentile.label;
end
$$;
comment on function internal.core(
    integer[], integer[], text, timestamptz, timestamptz, double precision
) is
'What the samples of kinds, and of further series, in [p_from, p_to) come to, by kind and group.
stddev is the population''s; a rate is observations a second, of a counter its growth a second.';
