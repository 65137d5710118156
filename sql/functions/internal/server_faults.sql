create or replace function internal.server_faults(p_name text, p_document jsonb) returns jsonb
language plpgsql immutable
as $$
declare
    c_most constant integer := 100;
    v_faults jsonb;
begin
    with named as (
        select
            list.name as list,
            item.n,
            item.value ->> 'name' as name,
            row_number() over (partition by list.name, item.value ->> 'name' order by item.n) as nth
        from unnest('{tools,resources,prompts}'::text []) as list (name)
        cross join jsonb_array_elements(
            case
                when jsonb_typeof(p_document #> array['capabilities', list.name]) = 'array'
                    then p_document #> array['capabilities', list.name]
            end
        ) with ordinality as item (value, n)
        where item.value ? 'name'
    ),
    fault as (
        select * from internal.document_faults(p_name, p_document, internal.server_schema())
        union all
        select
            format('capabilities.%s[%s].name', named.list, named.n - 1),
            'names_once',
            format('"%s" is named before. Send every name once.', left(named.name, 100))
        from named
        where named.nth > 1
    )
    select
        jsonb_agg(
            jsonb_build_object('field', field, 'slug', slug, 'detail', detail) order by field, slug
        )
    into v_faults
    from (
        select *
        from fault
        order by field, slug
        limit c_most
    ) as first_ones;
    return v_faults;
end
$$;
comment on function internal.server_faults(text, jsonb) is
'The rules that a document of register_server breaks, at most 100: [{field, slug, detail}] in order of
field; null for a good one.';
