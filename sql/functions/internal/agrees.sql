create or replace function internal.agrees(p_expected data.rollup, p_found data.rollup)
returns boolean
language sql immutable parallel safe
begin atomic
    select
        (
            (p_expected).observations, (p_expected).value_count, (p_expected).value_min,
            (p_expected).value_max, (p_expected).value_last, (p_expected).value_last_at,
            (p_expected).last_at, (p_expected).value_first, (p_expected).value_first_at,
            (p_expected).sketch, (p_expected).sketch_other
        ) is not distinct from (
            (p_found).observations, (p_found).value_count, (p_found).value_min,
            (p_found).value_max, (p_found).value_last, (p_found).value_last_at,
            (p_found).last_at, (p_found).value_first, (p_found).value_first_at,
            (p_found).sketch, (p_found).sketch_other
        )
        and internal.close_to(
            (p_expected).value_sum, (p_found).value_sum,
            (p_expected).value_count
            * greatest(abs((p_expected).value_min), abs((p_expected).value_max))
        )
        and internal.close_to(
            (p_expected).increase, (p_found).increase, (p_expected).value_max
        );
end;
comment on function internal.agrees(data.rollup, data.rollup) is
'Whether two buckets say the same, sums but for rounding: their order of addition differs. Squared
deviations are not compared; they come from the same samples as the rest.';
