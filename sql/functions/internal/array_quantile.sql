create or replace function internal.array_quantile(p_values double precision[], p_q numeric)
returns double precision
language sql immutable strict parallel safe
begin atomic
    -- Between the two values that the rank lies between, as numpy and percentile_cont do.
    select
        p_values[floor(p_q * (cardinality(p_values) - 1))::integer + 1]
        + (
            p_values[ceil(p_q * (cardinality(p_values) - 1))::integer + 1]
            - p_values[floor(p_q * (cardinality(p_values) - 1))::integer + 1]
        ) * (p_q * (cardinality(p_values) - 1) % 1)::double precision;
end;
comment on function internal.array_quantile(double precision[], numeric) is
'The quantile p_q of values in ascending order.';
