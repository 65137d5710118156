create or replace function internal.fact_faults(p_item jsonb, p_now timestamptz)
returns table (field text, slug text, detail text)
language sql stable
begin atomic
    with fault as (
        select
            null as field,
            rule.slug,
            case rule.slug
                when 'value_finite' then internal.value_fault(p_item -> 'value')
                when 'source_of_key' then internal.source_fault(p_item ->> 'source')
            end as detail
        from (
            values
            (
                'fact_kind_well_formed',
                jsonb_typeof(p_item -> 'kind') is distinct from 'string'
                or not internal.fits(p_item ->> 'kind', 'fact_kind')
            ),
            (
                'source_name_well_formed',
                jsonb_typeof(p_item -> 'source') is distinct from 'string'
                or not internal.fits(p_item ->> 'source', 'source_name')
            ),
            ('source_of_key', internal.source_fault(p_item ->> 'source') is not null),
            (
                'value_finite',
                jsonb_typeof(p_item -> 'value') <> 'null' and internal.read_number(p_item -> 'value') is null
            ),
            (
                'fact_id_well_formed',
                jsonb_typeof(p_item -> 'fact_id') not in ('string', 'null')
                or not internal.fits(p_item ->> 'fact_id', 'fact_id')
            ),
            (
                'subject_well_formed',
                jsonb_typeof(p_item -> 'subject') not in ('string', 'null')
                or length(p_item ->> 'subject') not between 1 and 500
            ),
            (
                'payload_well_formed',
                jsonb_typeof(p_item -> 'payload') not in ('object', 'null')
                or octet_length(nullif(p_item -> 'payload', 'null')::text) > 65536
            )
        ) as rule (slug, broken)
        where rule.broken
        union all
        select * from internal.ts_faults(p_item -> 'ts', p_now, 'fact')
        union all
        select * from internal.unknown_fields(p_item, '{kind,source,fact_id,subject,ts,value,payload}')
    )

    select
        coalesce(fault.field, rule.field),
        fault.slug,
        coalesce(fault.detail, rule.detail)
    from fault
    inner join internal.item_rules() as rule on fault.slug = rule.slug;
end;
comment on function internal.fact_faults(jsonb, timestamptz) is
'Every rule that a fact item breaks; no row exactly when check_facts calls the item good.';
