create or replace function internal.first_above(p_counts bytea, p_count bigint) returns integer
language plpgsql immutable strict parallel safe
as $$
declare
    -- Digits of as many bytes are in the order of their numbers.
    v_count constant bytea := internal.digit_groups(p_count);
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
comment on function internal.first_above(bytea, bigint) is
'The place, from 0 on, of the first of p_counts that is greater than p_count, else of the last one. p_counts
are ascending, each as internal.digit_groups has it.';
