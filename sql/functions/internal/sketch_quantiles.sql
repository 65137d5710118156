create or replace function internal.sketch_quantiles(
    p_observations bigint,
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
    c_q constant numeric [] := '{0.50,0.90,0.95,0.99}';
    v_bins double precision [];
begin
    if num_nonnulls(p_sketch, p_other) = 0 then
        return null;
    end if;
    v_bins := internal.sketch_values(
        p_observations, p_sketch, p_other, internal.percentile_ranks(p_observations)
    );
    return array(
        select
            -- Nothing is known of the values in an open bucket of a histogram.
            case
                when part.below > '-infinity' and part.above < 'infinity'
                    then greatest(part.below, least(part.above, part.below + (part.above - part.below) * part.share))
            end
        from unnest('{p50,p90,p95,p99}'::text []) with ordinality as wanted (name, place)
        left join lateral (
            select
                greatest(p_low, least(p_high, v_bins[2 * wanted.place - 1])) as below,
                greatest(p_low, least(p_high, v_bins[2 * wanted.place])) as above,
                (c_q[wanted.place] * (p_observations - 1) % 1)::double precision as share
            where v_bins is not null and wanted.name = any(p_statistics)
        ) as part on true
        order by wanted.place
    );
end
$$;
comment on function internal.sketch_quantiles(
    bigint, numeric, numeric, double precision, double precision, text[]
) is
'p50, p90, p95 and p99, those that p_statistics names, of histograms, as internal.percentiles
computes them. p_low and p_high bound the values.';
