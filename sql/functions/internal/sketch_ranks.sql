create or replace function internal.sketch_ranks(
    p_observations bigint,
    p_sketch numeric,
    p_other numeric,
    p_q numeric[],
    out ranks double precision[],
    out bins double precision[]
)
language plpgsql immutable parallel safe
as $$
declare
    c_room constant numeric := 1e12;
    c_zero constant numeric := '1e4212';
    v_zeros constant numeric := case
        when p_other is null then 0
        when p_other % c_zero = 0 then div(p_other, c_zero)
    end;
    -- Divided by 0.999999999999, a number has in the digits of each bin what that bin and those above it count,
    -- and the remainder is what all of them count.
    v_shift constant integer := ceil(scale(p_sketch) / 12.0);
    v_shifted constant numeric := p_sketch * case v_shift
        when 0 then c_room
        else ('1e' || 12 * (v_shift + 1))::numeric
    end;
    v_cumulated constant numeric := div(v_shifted, c_room - 1);
    v_positive constant numeric := v_shifted - v_cumulated * (c_room - 1);
    v_counts constant bytea := internal.digit_groups(v_cumulated);
    v_last constant bigint := p_observations - 1;
    v_top constant integer := length(v_counts) / 6 - 1 - v_shift - 350;
    v_values double precision [];
    v_upto double precision [];
    v_q numeric;
    v_rank numeric;
begin
    -- Else there may be more than a bin has room for, or there are values below zero.
    if p_observations not between 1 and c_room - 1 or p_observations is distinct from v_zeros + v_positive then
        select
            array_agg(value order by value),
            array_agg(upto order by value)
        into v_values, v_upto
        from (
            select
                value,
                -- Exact up to 2^53, and faster than the numeric sum of bigint.
                sum(n::double precision) over (order by value rows unbounded preceding) as upto
            from internal.sketch_bins(p_sketch, p_other)
        ) as bin;
        if v_upto[cardinality(v_upto)] is distinct from p_observations then
            return;
        end if;
    end if;

    ranks := '{}';
    bins := '{}';
    foreach v_q in array p_q loop
        foreach v_rank in array array[floor(v_q * v_last), ceil(v_q * v_last)] loop
            ranks := ranks || v_rank::double precision;
            bins := bins || case
                when v_upto is not null then v_values[1 + width_bucket(v_rank::double precision, v_upto)]
                when v_rank < v_zeros then 0
                else internal.bin_value(v_top - internal.first_above(v_counts, v_last - v_rank))
            end;
        end loop;
    end loop;
end
$$;
comment on function internal.sketch_ranks(bigint, numeric, numeric, numeric[]) is
'For each quantile of p_q the two ranks that it lies between, from 0 on, as numpy and percentile_cont have
them, and the values that represent the bins of those in internal.sketch and internal.sketch_other. null where
these do not count p_observations: more than a bin has room for would have changed the next one.';
