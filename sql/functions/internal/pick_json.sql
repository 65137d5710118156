create or replace function internal.pick_json(p_object json, p_names text[]) returns json
language sql immutable parallel safe
begin atomic
    select coalesce(json_object_agg(key, value), '{}')
    from json_each(p_object)
    where key = any(p_names);
end;
comment on function internal.pick_json(json, text[]) is 'The named members of a JSON object, in their order.';
