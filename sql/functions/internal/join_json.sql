create or replace function internal.join_json(variadic p_objects json[]) returns json
language sql immutable parallel safe
begin atomic
    -- Spaced as json_build_object does.
    select ('{' || string_agg(to_json(member.key) || ' : ' || member.value, ', ') || '}')::json
    from unnest(p_objects) as object
    cross join json_each(object) as member;
end;
comment on function internal.join_json(json[]) is 'One JSON object with the members of several.';
