create or replace function internal.read_number(p_value jsonb) returns double precision
language sql immutable parallel safe
begin atomic
    select case
        -- internal.bin treats these as zero; PostgreSQL refuses to read numbers below 5e-324.
        when p_value between '-1e-300' and '1e-300' then 0
        when p_value between '-1e140' and '1e140' then p_value::double precision
    end;
end;
comment on function internal.read_number(jsonb) is
'A number between -1e140 and 1e140, null for anything else; between -1e-300 and 1e-300 it is zero.';
