create or replace function internal.schema_faults(p_document jsonb, p_schema jsonb)
returns table (field text, slug text, detail text)
language sql immutable
begin atomic
    with recursive node (field, value, schema, known) as (
        select
            '',
            p_document,
            p_schema,
            '{}'::text[]
        union all
        select
            child.field,
            child.value,
            internal.schema_alternative(child.value, child.schema),
            child.known
        from node
        cross join lateral (
            select
                left(concat_ws('.', nullif(node.field, ''), left(member.key, 100)), 300),
                member.value,
                coalesce(
                    node.schema #> array['properties', member.key],
                    case
                        when jsonb_typeof(node.schema -> 'additionalProperties') = 'object'
                            then node.schema -> 'additionalProperties'
                    end
                ),
                array(select jsonb_object_keys(node.schema -> 'properties'))
            from jsonb_each(case when jsonb_typeof(node.value) = 'object' then node.value end) as member
            where
                node.schema #> array['properties', member.key] is not null
                or node.schema -> 'additionalProperties' <> 'true'
            union all
            select
                node.field || '[' || (element.n - 1) || ']',
                element.value,
                node.schema -> 'items',
                '{}'
            from jsonb_array_elements(
                case when jsonb_typeof(node.value) = 'array' and node.schema ? 'items' then node.value end
            ) with ordinality as element (value, n)
        ) as child (field, value, schema, known)
    )

    select
        node.field,
        'field_known',
        'Unknown field. '
        || internal.suggestion(
            internal.nearest_name(substring(node.field from '[^.]+$'), node.known, 0.15)
        )
        || 'The fields are ' || array_to_string(node.known, ', ') || '.'
    from node
    where node.schema is null
    union all
    select
        node.field,
        'field_well_formed',
        case
            -- It lacks an alternative of anyOf.
            when
                jsonb_typeof(node.value) = 'object'
                and node.schema ? 'anyOf'
                and internal.fits_schema(node.value, node.schema - 'anyOf')
                then node.schema ->> '$comment'
            else
                'The value is ' || internal.value_shown(node.value) || '. '
                || internal.schema_sentence(node.schema)
        end
    from node
    where node.schema is not null and not internal.fits_schema(node.value, node.schema)
    union all
    select
        concat_ws('.', nullif(node.field, ''), member.name),
        'field_required',
        internal.schema_sentence(node.schema #> array['properties', member.name])
    from node
    cross join jsonb_array_elements_text(node.schema -> 'required') as member (name)
    where jsonb_typeof(node.value) = 'object' and not node.value ? member.name
    union all
    select
        left(concat_ws('.', nullif(node.field, ''), left(member.name, 100)), 300),
        'field_well_formed',
        'The name is ' || internal.value_shown(to_jsonb(member.name)) || '. '
        || internal.schema_sentence(node.schema -> 'propertyNames')
    from node
    cross join
        jsonb_object_keys(
            case
                when jsonb_typeof(node.value) = 'object' and node.schema ? 'propertyNames' then node.value
            end
        ) as member (name)
    where not internal.fits_schema(to_jsonb(member.name), node.schema -> 'propertyNames');
end;
comment on function internal.schema_faults(jsonb, jsonb) is
'Every rule of a JSON Schema that a document breaks, with the path of the field, such as remotes[0].url.
Of JSON Schema it knows what internal.fits_schema knows, and properties, propertyNames, required, items,
additionalProperties, and oneOf where the alternatives differ in the enum of their type; $comment is the
sentence that says what to send.';
