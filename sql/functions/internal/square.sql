create or replace function internal.square(p_value double precision) returns double precision
language sql immutable strict parallel safe
begin atomic
    -- PostgreSQL calls a product that rounds to zero an underflow error.
    select case when abs(p_value) < 1e-150 then 0 else p_value * p_value end;
end;
comment on function internal.square(double precision) is 'Square of a number; of a tiny one, zero.';
