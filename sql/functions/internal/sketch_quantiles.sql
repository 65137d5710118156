create or replace function internal.sketch_quantiles(
    p_sketch bigint[],
    p_low double precision,
    p_high double precision,
    p_exact boolean,
    p_statistics text[]
)
returns double precision[]
language plpgsql immutable strict parallel safe
as $$
declare
    c_counts constant bigint := 17592186044415;
    v_quantiles double precision [];
    v_count bigint := 0;
    v_upto bigint := 0;
    v_rank numeric;
    v_lower bigint;
    v_upper bigint;
    v_below double precision;
    v_above double precision;
    v_place integer := 0;
    v_entry bigint;
    v_name text;
begin
    -- Loops, because a query for each group costs more than its groups.
    foreach v_entry in array p_sketch loop
        v_count := v_count + (v_entry & c_counts);
    end loop;
    foreach v_name in array array['p50', 'p90', 'p95', 'p99'] loop
        if v_name <> all(p_statistics) then
            v_quantiles := v_quantiles || null::double precision;
            continue;
        end if;
        -- The two ranks that a percentile lies between, as in numpy and percentile_cont.
        v_rank := substr(v_name, 2)::numeric / 100 * (v_count - 1);
        v_lower := floor(v_rank);
        v_upper := ceil(v_rank);
        while v_upto <= v_lower loop
            v_place := v_place + 1;
            v_upto := v_upto + (p_sketch[v_place] & c_counts);
        end loop;
        v_below := greatest(p_low, least(p_high, internal.bin_value(p_sketch[v_place] >> 44)));
        v_above := v_below;
        if v_upper >= v_upto then
            v_above := greatest(p_low, least(p_high, internal.bin_value(p_sketch[v_place + 1] >> 44)));
        end if;
        -- The extremes are exact; those of a histogram are bounds.
        if p_exact then
            v_below := case v_lower when 0 then p_low when v_count - 1 then p_high else v_below end;
            v_above := case v_upper when 0 then p_low when v_count - 1 then p_high else v_above end;
        end if;
        v_quantiles := v_quantiles || case
            -- Nothing is known of the values in an open bucket of a histogram.
            when v_below > '-infinity' and v_above < 'infinity' then greatest(
                v_below,
                least(v_above, v_below + (v_above - v_below) * (v_rank - v_lower)::double precision)
            )
        end;
    end loop;
    return v_quantiles;
end
$$;
comment on function internal.sketch_quantiles(
    bigint[], double precision, double precision, boolean, text[]
) is
'p50, p90, p95 and p99, those that p_statistics names, of the values in a sketch, as
internal.window_statistics computes them; its entries are in the order of their bins. p_low and p_high are the extremes of the values, p_exact says whether they
are values themselves.';
