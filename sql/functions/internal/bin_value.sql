create or replace function internal.bin_value(p_bin integer) returns double precision
language sql immutable parallel safe
begin atomic
    select 0.99 * exp(p_bin * double precision '0.020000666706669543');
end;
comment on function internal.bin_value(integer) is
'The value that represents a bin of internal.bin: 2 g^i / (g + 1), at most 1 % from every value in it.';
