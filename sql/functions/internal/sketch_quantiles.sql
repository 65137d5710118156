create or replace function internal.sketch_quantiles(
    p_sketch bigint[], p_low double precision, p_high double precision, p_exact boolean
)
returns double precision[]
language sql immutable parallel safe
begin atomic
    with ranked as (
        select
            entry >> 44 as bin,
            sum(entry & 17592186044415) over (order by entry) as upto,
            sum(entry & 17592186044415) over () as n
        from unnest(internal.sketch(p_sketch)) as entry
    ),

    neighbour as (
        -- The two ranks that a percentile lies between, as in numpy and percentile_cont.
        select
            q,
            n,
            floor(q * (n - 1)) as lower_rank,
            ceil(q * (n - 1)) as upper_rank,
            internal.bin_value(min(bin) filter (where upto > floor(q * (n - 1)))) as below,
            internal.bin_value(min(bin) filter (where upto > ceil(q * (n - 1)))) as above,
            (q * (n - 1) - floor(q * (n - 1)))::double precision as share
        from ranked
        cross join unnest(array[0.50, 0.90, 0.95, 0.99]) as q
        group by q, n
    ),

    bounded as (
        -- The extremes are exact; those of a histogram are bounds.
        select
            q,
            share,
            case
                when p_exact and lower_rank = 0 then p_low
                when p_exact and lower_rank = n - 1 then p_high
                else greatest(p_low, least(p_high, below))
            end as below,
            case
                when p_exact and upper_rank = 0 then p_low
                when p_exact and upper_rank = n - 1 then p_high
                else greatest(p_low, least(p_high, above))
            end as above
        from neighbour
    )

    select
        array_agg(
            -- Nothing is known of the values in an open bucket of a histogram.
            case
                when below > '-infinity' and above < 'infinity'
                    then greatest(below, least(above, below + (above - below) * share))
            end
            order by q
        )
    from bounded;
end;
comment on function internal.sketch_quantiles(
    bigint[], double precision, double precision, boolean
) is
'p50, p90, p95 and p99 of the values in a sketch, as internal.window_statistics computes them: p_low and
p_high are the extremes of the values, p_exact says whether they are values themselves.';
