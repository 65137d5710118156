create or replace function internal.schema_alternative(p_value jsonb, p_schema jsonb) returns jsonb
language sql immutable parallel safe
begin atomic
    select
        coalesce(
            (
                select alternative
                from jsonb_array_elements(p_schema -> 'oneOf') as alternative
                where
                    jsonb_typeof(p_value) = 'object'
                    and alternative #> '{properties,type,enum}' ? (p_value ->> 'type')
            ),
            p_schema
        );
end;
comment on function internal.schema_alternative(jsonb, jsonb) is
'The JSON Schema that applies to a value: of oneOf, the alternative whose type the value has; where there
is none, the schema itself, which says what types there are.';
