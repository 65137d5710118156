create or replace function analytics.percentile(p_sketch analytics.sketch, p_q double precision)
returns double precision
language plpgsql immutable parallel safe
security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    v_bins double precision [];
    v_upto double precision [];
    v_rank double precision;
    v_values double precision [];
begin
    if p_q not between 0 and 1 then
        raise exception 'percentile % is out of range', p_q
            using errcode = '22023', hint = 'Send a share of 0 to 1, such as 0.95.';
    end if;
    select
        array_agg(value order by value),
        array_agg(upto order by value)
    into v_bins, v_upto
    from (
        select
            value,
            sum(n::double precision) over (order by value) as upto
        from internal.sketch_bins((p_sketch).positive, (p_sketch).other)
    ) as bin;
    v_rank := p_q * (v_upto[cardinality(v_upto)] - 1);
    -- The two ranks that a percentile lies between, as in numpy and percentile_cont.
    v_values := array(
        select
            case
                -- The extremes are exact; those of a histogram are bounds.
                when not (p_sketch).histogram and rank = 0 then (p_sketch).low
                when not (p_sketch).histogram and rank = v_upto[cardinality(v_upto)] - 1 then (p_sketch).high
                else greatest((p_sketch).low, least((p_sketch).high, v_bins[1 + width_bucket(rank, v_upto)]))
            end
        from unnest(array[floor(v_rank), ceil(v_rank)]) with ordinality as ranked (rank, place)
        order by place
    );
    -- Nothing is known of the values in an open bucket of a histogram.
    if v_values[1] > '-infinity' and v_values[2] < 'infinity' then
        return greatest(
            v_values[1],
            least(v_values[2], v_values[1] + (v_values[2] - v_values[1]) * (v_rank - floor(v_rank)))
        );
    end if;
    return null;
end
$$;
comment on function analytics.percentile(analytics.sketch, double precision) is
'The value below which the share p_q of a distribution lies, with a relative error of 1 %, as in /query/agg;
null without values, and in the open bucket of a histogram. p_q is 0 to 1: 0.95 is the 95th percentile.';
