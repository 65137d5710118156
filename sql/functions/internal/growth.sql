create or replace function internal.growth(
    p_value double precision,
    p_before double precision,
    p_gap double precision,
    p_seconds double precision
)
returns double precision
language sql immutable parallel safe
begin atomic
    -- A lower reading follows a reset to zero.
    select case
        when p_before is null then 0
        else
            case when p_value >= p_before then p_value - p_before else p_value end
            * least(1, p_seconds / p_gap)
    end;
end;
comment on function internal.growth(
    double precision, double precision, double precision, double precision
) is
'Growth of a counter from a reading to the next one, p_gap seconds later; of a gap that is longer than
p_seconds, the part that falls to as many seconds. p_gap null means all.';
