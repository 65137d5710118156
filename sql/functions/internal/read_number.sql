create or replace function internal.read_number(p_value jsonb) returns double precision
language sql immutable parallel safe
begin atomic
    select case
        -- The zero of internal.bin; PostgreSQL refuses to read what is below 5e-324.
        when p_value between '-1e-300' and '1e-300' then 0
        when p_value between '-1e140' and '1e140' then p_value::double precision
    end;
end;
comment on function internal.read_number(jsonb) is
'A number of at most 1e140 in size, null for anything else; one below 1e-300 in size is zero.';
