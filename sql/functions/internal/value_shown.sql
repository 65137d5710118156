create or replace function internal.value_shown(p_value jsonb) returns text
language sql immutable parallel safe
begin atomic
    select case jsonb_typeof(p_value)
        when 'array' then 'an array of ' || jsonb_array_length(p_value) || ' items'
        when 'object' then 'an object'
        when 'null' then 'null'
        else
            'the ' || jsonb_typeof(p_value) || ' '
            || left(p_value::text, 100) || case when length(p_value::text) > 100 then '…' else '' end
    end;
end;
comment on function internal.value_shown(jsonb) is
'A value as an error shows it: its type, and its beginning where it is a string or a number.';
