create or replace function internal.split_samples(p_items jsonb) returns jsonb
language plpgsql stable
as $$
begin
    -- strict: without it a filter looks into arrays, and not at them.
    if not jsonb_path_exists(p_items, 'strict $[*] ? (@.value.type() == "array")') then
        return p_items;
    end if;
    perform internal.limit_samples(p_items);
    return (
        select jsonb_agg(sample.item order by entry.place, sample.place)
        from jsonb_array_elements(p_items) with ordinality as entry (item, place)
        inner join internal.count_samples(p_items) as counted on entry.place = counted.place
        cross join lateral (select entry.item - '{ts,value}'::text[] as rest offset 0) as shared
        cross join lateral (
            select
                shared.rest || jsonb_build_object('ts', element.ts, 'value', element.value) as item,
                element.place
            from rows from (
                jsonb_array_elements(case when counted.is_list then entry.item -> 'ts' end),
                jsonb_array_elements(case when counted.is_list then entry.item -> 'value' end)
            ) with ordinality as element (ts, value, place)
            union all
            select
                entry.item,
                1
            where not counted.is_list
        ) as sample
    );
end
$$;
comment on function internal.split_samples(jsonb) is
'Metric items with one sample each: one whose ts and value are arrays of the same length becomes several.
Errors: batch_within_limit.';
