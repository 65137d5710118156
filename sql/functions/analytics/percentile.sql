create or replace function analytics.percentile(p_sketch analytics.sketch, p_q double precision)
returns double precision
language plpgsql immutable parallel safe
security definer
set search_path = pg_catalog, public, pg_temp
as $$
declare
    v_last constant double precision := (p_sketch).observations - 1;
    v_rank constant double precision := p_q * v_last;
    v_ranks bigint [];
    v_values double precision [];
begin
    if p_q not between 0 and 1 then
        raise exception 'percentile % is out of range', p_q
            using errcode = '22023', hint = 'Send a share of 0 to 1, such as 0.95.';
    end if;
    v_ranks := array[floor(v_rank), ceil(v_rank)];
    v_values := array(
        select
            case
                -- The extremes are exact; those of a histogram are bounds.
                when not (p_sketch).histogram and rank = 0 then (p_sketch).low
                when not (p_sketch).histogram and rank = v_last then (p_sketch).high
                -- greatest() and least() leave out null.
                when bin is not null then greatest((p_sketch).low, least((p_sketch).high, bin))
            end
        from
            unnest(
                v_ranks,
                internal.sketch_values(
                    (p_sketch).observations, (p_sketch).positive, (p_sketch).other, v_ranks
                )
            ) with ordinality as ranked (rank, bin, place)
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
