create or replace function internal.read_length(p_value text, p_field text) returns interval
language plpgsql immutable
as $$
begin
    -- PostgreSQL takes 20 for 20 seconds.
    if not pg_input_is_valid(p_value, 'interval') or p_value ~ '^\s*[-+]?[0-9.]*[1-9][0-9.]*\s*$' then
        raise exception 'malformed length of time "%"', left(p_value, 100)
            using errcode = 'SV422', constraint = 'policy_value_well_formed', column = p_field,
            hint = 'Send a number with a unit, such as 90 days or 5 years.';
    end if;
    return p_value::interval;
end
$$;
comment on function internal.read_length(text, text) is
'A length of time as PostgreSQL writes it, such as 90 days, that was sent as p_field.
Errors: policy_value_well_formed.';
