create or replace function internal.split_samples(p_items jsonb) returns jsonb
language plpgsql immutable
as $$
begin
    -- strict: without it a filter looks into arrays, and not at them.
    if not jsonb_path_exists(p_items, 'strict $[*] ? (@.value.type() == "array")') then
        return p_items;
    end if;
    -- Before they are split: a short item with labels may have a million samples.
    perform internal.limit_items((select sum(item.samples) from internal.count_samples(p_items) as item));
    return (
        select
            jsonb_agg(
                case
                    when counted.is_list
                        then entry.item || jsonb_build_object('ts', sample.ts, 'value', sample.value)
                    else entry.item
                end
                order by entry.place, sample.place
            )
        from jsonb_array_elements(p_items) with ordinality as entry (item, place)
        inner join internal.count_samples(p_items) as counted on entry.place = counted.place
        cross join lateral rows from (
            jsonb_array_elements(case when counted.is_list then entry.item -> 'ts' else '[null]' end),
            jsonb_array_elements(case when counted.is_list then entry.item -> 'value' else '[null]' end)
        ) with ordinality as sample (ts, value, place)
    );
end
$$;
comment on function internal.split_samples(jsonb) is
'Metric items with one sample each: one whose ts and value are arrays of the same length becomes several.
Errors: batch_within_limit.';
