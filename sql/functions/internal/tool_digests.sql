create or replace function internal.tool_digests(p_tools jsonb) returns jsonb
language sql immutable parallel safe
begin atomic
    select
        coalesce(
            jsonb_object_agg(tool.value ->> 'name', md5((tool.value -> 'inputSchema')::text))
            filter (where tool.value ->> 'name' is not null),
            '{}'
        )
    from
        jsonb_array_elements(case jsonb_typeof(p_tools) when 'array' then p_tools else '[]' end) as tool;
end;
comment on function internal.tool_digests(jsonb) is
'Tools by their names: {name: digest of the input schema}; null where a tool is listed without a schema.';
