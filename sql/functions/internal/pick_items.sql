create or replace function internal.pick_items(p_body json, p_places integer[]) returns jsonb
language sql immutable
begin atomic
    select jsonb_agg(entry.item::jsonb order by entry.place)
    from
        json_array_elements(
            case
                when internal.lists_samples(p_body::text)
                    then internal.split_samples(internal.read_items(p_body::jsonb))::text::json
                when json_typeof(p_body) = 'array' then p_body
                else json_build_array(p_body)
            end
        ) with ordinality as entry (item, place)
    where entry.place = any(p_places);
end;
comment on function internal.pick_items(json, integer[]) is
'The items at these places of a request body, from 1, as check_metrics expects them; each sample of an item
has a place.';
