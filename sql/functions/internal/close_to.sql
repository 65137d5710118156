create or replace function internal.close_to(
    p_one double precision, p_other double precision, p_scale double precision
)
returns boolean
language sql immutable parallel safe
begin atomic
    select coalesce(
        p_one is not distinct from p_other
        or abs(p_one - p_other) <= double precision '1e-9' * greatest(
            abs(p_one),
            abs(p_other),
            -- The bounds of a histogram may be open.
            case when p_scale < 'infinity' then p_scale end
        ),
        false
    );
end;
comment on function internal.close_to(double precision, double precision, double precision) is
'Whether two sums are equal but for the rounding of additions whose terms add up to p_scale without their
signs; two nulls are equal.';
