create or replace function internal.pick_items(p_body json, p_places integer[]) returns jsonb
language sql immutable
begin atomic
    select jsonb_agg(entry.item::jsonb order by entry.place)
    from
        json_array_elements(
            case json_typeof(p_body) when 'array' then p_body else json_build_array(p_body) end
        ) with ordinality as entry (item, place)
    where entry.place = any(p_places);
end;
comment on function internal.pick_items(json, integer[]) is
'The items at these places of a request body, from 1, as check_metrics expects them.';
