create or replace function internal.schema_sentence(p_schema jsonb) returns text
language sql immutable parallel safe
begin atomic
    select concat(
        'Send ',
        case
            when p_schema ? 'enum'
                then
                    'one of '
                    || (
                        select string_agg(choice, ', ')
                        from jsonb_array_elements_text(p_schema -> 'enum') as choice
                    )
            when p_schema ->> 'type' = 'string'
                then
                    'a string of ' || coalesce((p_schema ->> 'minLength') || ' to ', 'at most ')
                    || coalesce(p_schema ->> 'maxLength', '100000') || ' characters'
            when p_schema ->> 'type' in ('integer', 'number')
                then
                    case p_schema ->> 'type' when 'integer' then 'a whole number' else 'a number' end
                    || coalesce(
                        ' from ' || (p_schema ->> 'minimum') || ' to ' || (p_schema ->> 'maximum'), ''
                    )
                    || coalesce(
                        ' above ' || (p_schema ->> 'exclusiveMinimum')
                        || coalesce(
                            ' and below ' || (p_schema ->> 'exclusiveMaximum'),
                            ' and at most ' || (p_schema ->> 'maximum')
                        ), ''
                    )
            when p_schema ->> 'type' = 'boolean' then 'true or false'
            when p_schema ->> 'type' = 'array'
                then
                    'an array of ' || coalesce((p_schema ->> 'minItems') || ' to ', 'at most ')
                    || coalesce(p_schema ->> 'maxItems', '10000') || ' items'
            else 'an object' || coalesce(' of at most ' || (p_schema ->> 'maxProperties') || ' members', '')
        end,
        -- What else says what to send goes on with this sentence.
        case
            when p_schema ->> '$comment' like 'Send %' then ': ' || substr(p_schema ->> '$comment', 6)
            else coalesce('. ' || (p_schema ->> '$comment'), '.')
        end
    );
end;
comment on function internal.schema_sentence(jsonb) is
'What to send for a value with this JSON Schema.';
