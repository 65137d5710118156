create or replace function internal.locate_faults(p_faults jsonb, p_items jsonb) returns jsonb
language sql immutable parallel safe
begin atomic
    with item as (
        select
            counted.place - 1 as index,
            counted.is_list,
            sum(counted.samples) over (order by counted.place) - counted.samples as first,
            counted.samples
        from internal.count_samples(p_items) as counted
    ),

    located as (
        select
            item.index,
            case
                when item.is_list and fault.field in ('ts', 'value')
                    then fault.field || '[' || (fault.index - item.first) || ']'
                else fault.field
            end as field,
            fault.slug,
            fault.detail,
            min(fault.index) as first
        from jsonb_to_recordset(p_faults) as fault (index integer, field text, slug text, detail text)
        inner join item on fault.index >= item.first and fault.index < item.first + item.samples
        group by 1, 2, 3, 4
    )

    select
        jsonb_agg(
            jsonb_build_object(
                'index', located.index, 'field', located.field, 'slug', located.slug, 'detail', located.detail
            )
            order by located.index, located.first, located.field, located.slug
        )
    from located;
end;
comment on function internal.locate_faults(jsonb, jsonb) is
'What explain_items says of the items of split_samples, by the index of the items it was called with: an
element of an array as ts[0] or value[0], and what all samples of an item break once.';
