create or replace function internal.split_bytes(p_items jsonb) returns bigint
language sql stable parallel safe
begin atomic
    select
        coalesce(
            sum(counted.samples::bigint * octet_length((entry.item - '{ts,value}'::text[])::text)),
            0
        )::bigint
    from jsonb_array_elements(p_items) with ordinality as entry (item, place)
    inner join internal.count_samples(p_items) as counted on entry.place = counted.place
    where counted.is_list;
end;
comment on function internal.split_bytes(jsonb) is
'Bytes that split_samples makes of metric items with arrays, without their times and values.';
