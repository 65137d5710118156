create or replace function internal.first_above(p_counts bytea, p_count numeric) returns integer
language plpgsql immutable strict parallel safe
as $$
declare
    -- The digits of a number are in its binary form from the ninth byte on, without zeros at its end. Numbers
    -- of as many bytes are in the order of those.
    v_count constant bytea := substr(numeric_send(1e12 + p_count) || '\x000000000000', 11, 6);
    v_from integer := 0;
    v_upto integer := length(p_counts) / 6 - 1;
    v_middle integer;
begin
    while v_from < v_upto loop
        v_middle := (v_from + v_upto) / 2;
        if substr(p_counts, 6 * v_middle + 1, 6) > v_count then
            v_upto := v_middle;
        else
            v_from := v_middle + 1;
        end if;
    end loop;
    return v_from;
end
$$;
comment on function internal.first_above(bytea, numeric) is
'The place, from 0 on, of the first of p_counts that is greater than p_count, else of the last one. p_counts
are ascending, each twelve decimal digits in six bytes, as numeric_send() writes them.';
