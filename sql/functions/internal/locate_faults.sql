create or replace function internal.locate_faults(p_faults jsonb, p_items jsonb) returns jsonb
language sql stable parallel safe
begin atomic
    with sample as (
        select
            counted.place - 1 as item,
            counted.is_list,
            element.place as element,
            row_number() over (order by counted.place, element.place) - 1 as index
        from internal.count_samples(p_items) as counted
        cross join lateral generate_series(0, counted.samples - 1) as element (place)
    ),

    located as (
        select
            sample.item,
            fault.field,
            case when sample.is_list and fault.field in ('ts', 'value') then sample.element end as element,
            fault.slug,
            fault.detail
        from jsonb_to_recordset(p_faults) as fault (index bigint, field text, slug text, detail text)
        inner join sample on fault.index = sample.index
        group by 1, 2, 3, 4, 5
    )

    select
        jsonb_agg(
            jsonb_build_object(
                'index', located.item,
                'field', concat(located.field, '[' || located.element || ']'),
                'slug', located.slug,
                'detail', located.detail
            )
            order by located.item, located.field, located.element, located.slug
        )
    from located;
end;
comment on function internal.locate_faults(jsonb, jsonb) is
'What explain_items says of the items of split_samples, by the index of the items it was called with: an
element of an array as ts[0] or value[0], and what all samples of an item break once.';
