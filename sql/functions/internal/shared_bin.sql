create or replace function internal.shared_bin(p_value double precision) returns double precision
language sql immutable parallel safe
begin atomic
    -- TimescaleDB computes this for a batch of rows at once, but not least() and greatest().
    select case
        when p_value > 0 then internal.unbounded_bin(p_value)
        -- The smallest double changes no sketch, and gives zero a logarithm.
        when p_value <= 0 then internal.unbounded_bin(double precision '5e-324' - p_value) - 1e6
    end;
end;
comment on function internal.shared_bin(double precision) is
'The same number for finite values whose sketches are equal; null for null.';
