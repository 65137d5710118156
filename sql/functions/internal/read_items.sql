create or replace function internal.read_items(p_body jsonb) returns jsonb
language plpgsql immutable
as $$
begin
    if jsonb_typeof(p_body) = 'object' then
        return jsonb_build_array(p_body);
    elsif jsonb_typeof(p_body) <> 'array' then
        raise exception 'the body is a JSON %, not an object or an array of objects', jsonb_typeof(p_body)
            using errcode = 'SV422', constraint = 'body_is_items',
            hint = 'Send one item as an object, or several as an array or as NDJSON.';
    elsif jsonb_array_length(p_body) > 10000 then
        raise exception 'the batch has % items; the limit is 10000', jsonb_array_length(p_body)
            using errcode = 'SV413', constraint = 'batch_within_limit',
            hint = 'Split the batch into parts of at most 10000 items.';
    end if;
    -- strict: without it a filter looks into arrays, and not at them.
    if not jsonb_path_exists(p_body, 'strict $[*] ? (@.type() != "object")') then
        return p_body;
    end if;
    return (
        select jsonb_agg(
            case jsonb_typeof(item) when 'object' then item else jsonb_build_object('', item) end
            order by n
        )
        from jsonb_array_elements(p_body) with ordinality as entry (item, n)
    );
end
$$;
comment on function internal.read_items(jsonb) is
'The items of a request body as an array of objects: a single object becomes an array. An item that is
not an object is wrapped in one with an empty field name, so that it is refused with its index.
Errors: body_is_items, batch_within_limit.';
