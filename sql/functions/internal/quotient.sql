create or replace function internal.quotient(p_over double precision, p_under double precision)
returns double precision
language sql immutable parallel safe
begin atomic
    -- PostgreSQL raises an error for a quotient that rounds to zero or to infinity.
    select case
        when p_under = 0 then null
        when abs(p_over) < 1e-300 * greatest(abs(p_under), 1) then 0
        when abs(p_under) >= 1 or abs(p_over) < 1e150 * abs(p_under) then p_over / p_under
    end;
end;
comment on function internal.quotient(double precision, double precision) is
'p_over / p_under; null when p_under is zero or the quotient too large for a number, zero when it is tiny.';
