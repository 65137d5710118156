create or replace function internal.metric_faults(
    p_item jsonb, p_kind_type text, p_kind_unit text, p_now timestamptz
)
returns table (field text, slug text, detail text)
language sql stable
begin atomic
    with item as (
        select
            p_item ->> 'name' as name,
            p_item -> 'value' as value,
            p_item ->> 'type' as type,
            coalesce(jsonb_typeof(p_item -> 'value'), 'null') as value_type,
            'array' in (jsonb_typeof(p_item -> 'value'), jsonb_typeof(p_item -> 'ts')) as has_array,
            case
                when p_kind_type is not null then p_kind_type
                when p_item ->> 'type' in ('gauge', 'counter', 'histogram') then p_item ->> 'type'
            end as settled_type
    ),

    fault as (
        select
            null as field,
            rule.slug,
            rule.detail
        from item
        cross join
            lateral (
                values
                (
                    'kind_name_well_formed', null,
                    jsonb_typeof(p_item -> 'name') is distinct from 'string'
                    or not internal.fits(item.name, 'metric_name')
                ),
                ('kind_prefix_matches_type', null, starts_with(item.name, 'Fact:')),
                (
                    'source_name_well_formed', null,
                    jsonb_typeof(p_item -> 'source') is distinct from 'string'
                    or not internal.fits(p_item ->> 'source', 'source_name')
                ),
                (
                    'source_of_key',
                    internal.source_fault(p_item ->> 'source'),
                    internal.source_fault(p_item ->> 'source') is not null
                ),
                ('kind_type_known', null, item.type not in ('gauge', 'counter', 'histogram')),
                (
                    'kind_type_settled',
                    case
                        when item.type is not null and item.type <> p_kind_type
                            then 'The kind is a ' || p_kind_type || '; a kind keeps its first type.'
                    end,
                    p_kind_type is distinct from 'fact'
                    and item.has_array is not true
                    and (
                        item.type in ('gauge', 'counter', 'histogram') and item.type <> p_kind_type
                        or item.value_type <> 'null'
                        and (item.value_type = 'object') <> (item.settled_type = 'histogram')
                    )
                ),
                (
                    'histogram_well_formed',
                    case when item.value_type = 'object' then (internal.read_histogram(item.value)).fault end,
                    case item.value_type
                        when 'object'
                            then
                                coalesce(item.settled_type, 'histogram') = 'histogram'
                                and (internal.read_histogram(item.value)).fault is not null
                        when 'null' then item.settled_type = 'histogram'
                    end
                ),
                (
                    'value_finite', internal.value_fault(item.value),
                    item.value_type <> 'object'
                    and item.has_array is not true
                    and item.settled_type is distinct from 'histogram'
                    and internal.read_number(item.value) is null
                ),
                (
                    'counter_not_negative', null,
                    item.settled_type = 'counter' and internal.read_number(item.value) < 0
                ),
                (
                    'kind_unit_well_formed', null,
                    jsonb_typeof(p_item -> 'unit') not in ('string', 'null')
                    or not internal.fits(p_item ->> 'unit', 'unit')
                ),
                (
                    'kind_unit_settled',
                    internal.unit_fault(p_item ->> 'unit', p_kind_unit, item.value),
                    jsonb_typeof(p_item -> 'unit') = 'string'
                    and internal.fits(p_item ->> 'unit', 'unit')
                    and not internal.is_unit(p_item ->> 'unit', p_kind_unit)
                )
            ) as rule (slug, detail, broken)
        where rule.broken
        union all
        select * from internal.label_faults(p_item -> 'labels')
        union all
        select * from internal.list_faults(p_item -> 'value', p_item -> 'ts')
        union all
        select fault.*
        from item
        cross join lateral internal.ts_faults(p_item -> 'ts', p_now, 'sample') as fault
        where item.has_array is not true
        union all
        select * from internal.unknown_fields(p_item, '{name,source,value,ts,labels,type,unit}')
    )

    select
        coalesce(fault.field, rule.field),
        fault.slug,
        coalesce(fault.detail, rule.detail)
    from fault
    inner join internal.item_rules() as rule on fault.slug = rule.slug;
end;
comment on function internal.metric_faults(jsonb, text, text, timestamptz) is
'Every rule that a metric item breaks; no row exactly when check_metrics calls the item good. The type
and the unit are those of its kind, null while they are unknown.';
