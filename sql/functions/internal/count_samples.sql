create or replace function internal.count_samples(p_items jsonb)
returns table (place bigint, samples integer, is_list boolean)
language sql immutable parallel safe
begin atomic
    with entry as (
        select
            each.place,
            each.item -> 'ts' as ts,
            each.item -> 'value' as value
        from jsonb_array_elements(p_items) with ordinality as each (item, place)
    ),

    judged as (
        select
            entry.place,
            entry.value,
            case
                when jsonb_typeof(entry.ts) = 'array' and jsonb_typeof(entry.value) = 'array'
                    then
                        jsonb_array_length(entry.ts) = jsonb_array_length(entry.value)
                        and entry.ts <> '[]'
                        and (
                            -- Those are refused for their number.
                            jsonb_array_length(entry.ts) > 10000
                            or not jsonb_path_exists(
                                entry.ts, 'strict $[*] ? (@.type() != "string" && @.type() != "number")'
                            )
                            and not jsonb_path_exists(
                                entry.value, 'strict $[*] ? (@.type() == "array" || @.type() == "object")'
                            )
                        )
                else false
            end as is_list
        from entry
    )

    select
        judged.place,
        case when judged.is_list then jsonb_array_length(judged.value) else 1 end,
        judged.is_list
    from judged;
end;
comment on function internal.count_samples(jsonb) is
'How many samples each of these metric items has, by its place from 1, and whether they are in arrays.';
