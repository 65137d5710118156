create or replace function internal.count_samples(p_items jsonb)
returns table (place bigint, samples integer, is_list boolean)
language sql immutable parallel safe
begin atomic
    with entry as (
        select
            each.place,
            each.item -> 'value' as value,
            case
                when
                    jsonb_typeof(each.item -> 'ts') = 'array'
                    and jsonb_typeof(each.item -> 'value') = 'array'
                    then
                        jsonb_array_length(each.item -> 'ts') = jsonb_array_length(each.item -> 'value')
                        and each.item -> 'ts' <> '[]'
                else false
            end as is_list
        from jsonb_array_elements(p_items) with ordinality as each (item, place)
    )

    select
        entry.place,
        case when entry.is_list then jsonb_array_length(entry.value) else 1 end,
        entry.is_list
    from entry;
end;
comment on function internal.count_samples(jsonb) is
'How many samples each of these metric items has, by its place from 1, and whether they are in arrays.';
