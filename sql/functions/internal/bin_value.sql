create or replace function internal.bin_value(p_bin bigint) returns double precision
language sql immutable strict parallel safe
begin atomic
    select case
        when p_bin = 100000 then 'infinity'
        when p_bin = -100000 then '-infinity'
        when p_bin > 0 then 0.99 * exp((p_bin - 40000) * 0.020000666706669543)
        when p_bin < 0 then -0.99 * exp((-p_bin - 40000) * 0.020000666706669543)
        else 0
    end;
end;
comment on function internal.bin_value(bigint) is
'The value that represents a bin of internal.bin: 2 g^i / (g + 1), at most 1 % from every value in it;
infinite for the open buckets of histograms.';
