create or replace function internal.agrees(p_expected data.rollup, p_found data.rollup)
returns boolean
language sql stable parallel safe
begin atomic
    select
        coalesce(
            internal.rollup_json(p_expected) - '{value_sum,increase}'::text[]
            = internal.rollup_json(p_found) - '{value_sum,increase}'::text[],
            false
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
'Whether both buckets are there and say the same, sums but for rounding: their order of addition differs.
Squared deviations are not compared; they come from the same samples as the rest.';
