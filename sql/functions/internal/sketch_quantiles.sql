create or replace function internal.sketch_quantiles(
    p_sketch numeric,
    p_other numeric,
    p_low double precision,
    p_high double precision,
    p_statistics text[]
)
returns double precision[]
language plpgsql immutable parallel safe
as $$
declare
    v_bins double precision [];
    v_upto numeric [];
begin
    if p_sketch is null then
        return null;
    end if;
    select
        array_agg(value order by value),
        array_agg(upto order by value)
    into v_bins, v_upto
    from (
        select
            value,
            sum(n) over (order by value) as upto
        from internal.sketch_bins(p_sketch, p_other)
    ) as bin;
    return array(
        select
            -- Nothing is known of the values in an open bucket of a histogram.
            case
                when part.below > '-infinity' and part.above < 'infinity'
                    then greatest(part.below, least(part.above, part.below + (part.above - part.below) * part.share))
            end
        from unnest('{p50,p90,p95,p99}'::text []) with ordinality as wanted (name, place)
        cross join lateral (
            select substr(wanted.name, 2)::numeric / 100 * (v_upto[cardinality(v_upto)] - 1) as rank
        ) as ranked
        -- The two ranks that a percentile lies between, as in numpy and percentile_cont.
        left join lateral (
            select
                greatest(p_low, least(p_high, v_bins[1 + width_bucket(floor(rank), v_upto)])) as below,
                greatest(p_low, least(p_high, v_bins[1 + width_bucket(ceil(rank), v_upto)])) as above,
                (rank % 1)::double precision as share
            where wanted.name = any(p_statistics)
        ) as part on true
        order by wanted.place
    );
end
$$;
comment on function internal.sketch_quantiles(
    numeric, numeric, double precision, double precision, text[]
) is
'p50, p90, p95 and p99, those that p_statistics names, of histograms, as internal.percentiles
computes them. p_low and p_high bound the values.';
