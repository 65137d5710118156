create or replace function internal.matchers_schema() returns jsonb
language sql immutable parallel safe
begin atomic
    select
        jsonb_build_object(
            'type', 'array',
            'maxItems', 20,
            'items', jsonb_build_object(
                'type', 'object',
                'required', '["name", "operator", "value"]'::jsonb,
                'additionalProperties', false,
                'properties', jsonb_build_object(
                    'name', internal.text_rules() -> 'label_name' || '{"type": "string",
                        "$comment": "Send the name of a label, such as severity or source."}',
                    'operator', '{"type": "string", "enum": ["=", "!=", "=~", "!~"]}'::jsonb,
                    'value', '{"type": "string", "maxLength": 500}'::jsonb
                )
            )
        );
end;
comment on function internal.matchers_schema() is
'JSON Schema of matchers of labels: [{name, operator, value}].';
