create or replace function internal.sketch_values(
    p_observations bigint, p_sketch numeric, p_other numeric, p_ranks bigint[]
)
returns double precision[]
language plpgsql immutable parallel safe
as $$
declare
    c_room constant numeric := 1e12;
    -- A zero, as internal.sketch_other has it.
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
    v_top constant integer := length(v_counts) / 6 - 1 - v_shift - 350;
    v_values double precision [];
    v_upto double precision [];
    v_rank bigint;
    v_found double precision [] := '{}';
begin
    -- Else there may be more than a bin has room for, or there are values below zero.
    if (p_observations between 1 and c_room - 1 and p_observations = v_zeros + v_positive) is not true then
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
        if (v_upto[cardinality(v_upto)] = p_observations) is not true then
            return null;
        end if;
    end if;

    foreach v_rank in array p_ranks loop
        v_found := v_found || case
            when v_upto is not null then v_values[1 + width_bucket(v_rank::double precision, v_upto)]
            when v_rank < v_zeros then 0
            else internal.bin_value(v_top - internal.first_above(v_counts, p_observations - 1 - v_rank))
        end;
    end loop;
    return v_found;
end
$$;
comment on function internal.sketch_values(bigint, numeric, numeric, bigint[]) is
'The values that represent the bins of the observations with these ranks, from 0 on, in internal.sketch and
internal.sketch_other; null where these have fewer than p_observations, because a bin has no room for more.';
