create or replace function internal.value_fault(p_value jsonb) returns text
language sql immutable parallel safe
begin atomic
    select case
        when jsonb_typeof(p_value) = 'string'
            then
                'The value is the string '
                || left(p_value::text, 100)
                || '. Send '
                || case
                    when p_value #>> '{}' ~ '^-?[0-9]{1,100}([.][0-9]{1,100})?$'
                        then 'the number ' || (p_value #>> '{}') || ' without quotation marks.'
                    else 'a number between -1e140 and 1e140.'
                end
    end;
end;
comment on function internal.value_fault(jsonb) is
'What is wrong with a value that is a string, and what to send; null for another value.';
