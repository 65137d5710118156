create or replace function internal.percentiles(p_distributions data.distribution[])
returns table (place bigint, p double precision[], bounded boolean)
language plpgsql immutable
-- The plan does not depend on the arguments, and takes longer to make than to run.
set plan_cache_mode = 'force_generic_plan'
as $$
declare
    c_q constant numeric [] := '{0.50,0.90,0.95,0.99}';
begin
    -- A query of nothing costs its start.
    if p_distributions = '{}' then
        return;
    end if;
    return query
    with neighbour as (
        select
            distribution.place,
            distribution.histogram,
            distribution.low,
            distribution.high,
            distribution.observations,
            q.number,
            ranked.ranks[2 * q.number - 1] as lower_rank,
            ranked.ranks[2 * q.number] as upper_rank,
            sketch.bins[2 * q.number - 1] as below,
            sketch.bins[2 * q.number] as above,
            (q.q * (distribution.observations - 1) % 1)::double precision as share
        from unnest(p_distributions) as distribution
        cross join lateral internal.percentile_ranks(distribution.observations) as ranked (ranks)
        cross join lateral internal.sketch_values(
            distribution.observations, distribution.sketch, distribution.sketch_other, ranked.ranks
        ) as sketch (bins)
        cross join unnest(c_q) with ordinality as q (q, number)
        where sketch.bins is not null
    ),

    quantile as (
        select
            neighbour.place,
            neighbour.number,
            neighbour.share,
            -- The extremes are exact; those of a histogram, of which no error is stated, are bounds.
            neighbour.lower_rank = 0 as below_exact,
            neighbour.upper_rank = neighbour.observations - 1 as above_exact,
            -- The outermost bins hold all that is beyond.
            neighbour.below <> 0 and abs(neighbour.below) not between 2e-15 and 1e52 as below_outermost,
            neighbour.above <> 0 and abs(neighbour.above) not between 2e-15 and 1e52 as above_outermost,
            case
                when not neighbour.histogram and neighbour.lower_rank = 0 then neighbour.low
                else greatest(neighbour.low, least(neighbour.high, neighbour.below))
            end as below,
            case
                when not neighbour.histogram and neighbour.upper_rank = neighbour.observations - 1 then neighbour.high
                else greatest(neighbour.low, least(neighbour.high, neighbour.above))
            end as above
        from neighbour
    )

    select
        quantile.place,
        array_agg(
            -- Nothing is known of the values in an open bucket of a histogram.
            case
                when below > '-infinity' and above < 'infinity'
                    then greatest(below, least(above, below + (above - below) * share))
            end
            order by number
        ) as p,
        -- Between values of one sign the error is at most that of both of them.
        bool_and(
            (below >= 0 or above <= 0 or (below_exact and above_exact))
            and (below_exact or not below_outermost)
            and (above_exact or not above_outermost)
        ) as bounded
    from quantile
    group by quantile.place;
end
$$;
comment on function internal.percentiles(data.distribution[]) is
'p50, p90, p95 and p99 of each distribution, by its place: null where they lie in an open bucket of a
histogram, and where the sketches do not have all observations. bounded says whether each is within the
relative error of a sketch.';
