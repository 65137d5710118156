create or replace function internal.fits_schema(p_value jsonb, p_schema jsonb) returns boolean
language sql immutable parallel safe
begin atomic
    select coalesce(
        jsonb_typeof(p_value)
        = case p_schema ->> 'type' when 'integer' then 'number' else p_schema ->> 'type' end
        and case jsonb_typeof(p_value)
            when 'string'
                then
                    length(p_value #>> '{}') between coalesce((p_schema ->> 'minLength')::integer, 0)
                    and coalesce((p_schema ->> 'maxLength')::integer, 100000)
                    and coalesce(p_value #>> '{}' ~ (p_schema ->> 'pattern'), true)
                    and coalesce(p_value #>> '{}' !~ (p_schema #>> '{not,pattern}'), true)
                    and coalesce(p_schema -> 'enum' ? (p_value #>> '{}'), true)
            when 'number'
                then
                    (p_schema ->> 'type' = 'number' or p_value::numeric % 1 = 0)
                    and coalesce(p_value::numeric >= (p_schema -> 'minimum')::numeric, true)
                    and coalesce(p_value::numeric <= (p_schema -> 'maximum')::numeric, true)
                    and coalesce(p_value::numeric > (p_schema -> 'exclusiveMinimum')::numeric, true)
                    and coalesce(p_value::numeric < (p_schema -> 'exclusiveMaximum')::numeric, true)
            when 'array'
                then
                    jsonb_array_length(p_value) between coalesce((p_schema ->> 'minItems')::integer, 0)
                    and coalesce((p_schema ->> 'maxItems')::integer, 10000)
            when 'object'
                then (
                    not p_schema ? 'maxProperties'
                    or (p_schema ->> 'maxProperties')::integer
                    >= (select count(*) from jsonb_object_keys(p_value))
                ) and (not p_schema ? 'anyOf' or (
                    select
                        bool_or(
                            p_value ?& array(select jsonb_array_elements_text(alternative -> 'required'))
                            and coalesce(
                                p_value -> 'type' = alternative #> '{properties,type,const}', true
                            )
                        )
                    from jsonb_array_elements(p_schema -> 'anyOf') as alternative
                ))
            else true
        end,
        false
    );
end;
comment on function internal.fits_schema(jsonb, jsonb) is
'Whether a value has the type, and keeps the length, pattern, choice, range or number of items or members,
that a JSON Schema says. An object needs one alternative of anyOf: its required fields and its constant type.';
