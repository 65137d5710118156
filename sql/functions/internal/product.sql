create or replace function internal.product(p_a double precision, p_b double precision)
returns double precision
language sql immutable parallel safe
begin atomic
    -- PostgreSQL raises an error for a product that rounds to zero or to infinity.
    select case
        when p_a = 0 or p_b = 0 then 0
        when abs(p_a) < 1 and abs(p_b) < 1e-300 / abs(p_a) then 0
        when abs(p_a) < 1 or abs(p_b) < 1e300 / abs(p_a) then p_a * p_b
    end;
end;
comment on function internal.product(double precision, double precision) is
'p_a * p_b; zero when it is tiny, null when it is too large for a number.';
