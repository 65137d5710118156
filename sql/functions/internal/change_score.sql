create or replace function internal.change_score(
    p_value double precision,
    p_median double precision,
    p_mad double precision,
    p_chance double precision
)
returns double precision
language sql immutable parallel safe
begin atomic
    -- 1.4826 times the median absolute deviation is the standard deviation of a normal distribution.
    -- Where everything was equal, a hundredth of it is; so no score is beyond 200.
    select round(
        internal.quotient(
            p_value - p_median,
            greatest(1.4826 * p_mad, p_chance, internal.product(0.01, greatest(abs(p_median), abs(p_value))))
        )::numeric,
        2
    )::double precision;
end;
comment on function internal.change_score(
    double precision, double precision, double precision, double precision
) is
'How far a value is from its median, in units of its usual variation: the largest of 1.4826 times its median
absolute deviation, what chance alone explains, and 1 % of the value and of the median.';
