create or replace function internal.list_faults(p_value jsonb, p_ts jsonb)
returns table (field text, slug text, detail text)
language sql immutable parallel safe
begin atomic
    with kind as (
        select
            coalesce(jsonb_typeof(p_value) = 'array', false) as values_listed,
            coalesce(jsonb_typeof(p_ts) = 'array', false) as times_listed
    ),

    element as (
        select
            'value' as list,
            entry.place,
            jsonb_typeof(entry.item) as type,
            case jsonb_typeof(entry.item)
                when 'object' then 'A histogram is the value of an item by itself.'
                else 'The elements of value are numbers.'
            end as rule
        from kind
        cross join
            lateral jsonb_array_elements(case when kind.values_listed then p_value end)
            with ordinality as entry (item, place)
        where jsonb_typeof(entry.item) in ('array', 'object')
        union all
        select
            'ts',
            entry.place,
            jsonb_typeof(entry.item),
            'The elements of ts are strings or numbers.'
        from kind
        cross join
            lateral jsonb_array_elements(case when kind.times_listed then p_ts end)
            with ordinality as entry (item, place)
        where jsonb_typeof(entry.item) not in ('string', 'number')
    )

    select
        case when not kind.times_listed then 'ts' else 'value' end,
        'samples_paired',
        case
            when kind.values_listed and kind.times_listed
                then format(
                    'value has %s elements and ts has %s. Send arrays of the same length, at least 1.',
                    jsonb_array_length(p_value), jsonb_array_length(p_ts)
                )
            when kind.values_listed then 'value is an array. Send ts as an array of the same length.'
            else 'ts is an array. Send value as an array of the same length.'
        end
    from kind
    where
        kind.values_listed and not kind.times_listed
        or kind.times_listed and not kind.values_listed
        or kind.values_listed
        and kind.times_listed
        and (jsonb_array_length(p_value) <> jsonb_array_length(p_ts) or p_value = '[]')
    union all
    select
        element.list || '[' || (element.place - 1) || ']',
        'samples_paired',
        format(
            'The element is %s. %s',
            case element.type
                when 'null' then 'null'
                when 'boolean' then 'a boolean'
                else 'an ' || element.type
            end,
            element.rule
        )
    from element;
end;
comment on function internal.list_faults(jsonb, jsonb) is
'What is wrong with value and ts of an item where one of them is an array that split_samples leaves as it
is; no row where neither is an array.';
