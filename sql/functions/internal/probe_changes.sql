create or replace function internal.probe_changes(p_before jsonb, p_after jsonb) returns jsonb
language sql immutable strict parallel safe
begin atomic
    select
        internal.tool_changes(
            (
                select
                    coalesce(
                        jsonb_agg(
                            -- A tool that was registered by its name alone has no schema to compare.
                            jsonb_build_object('name', key, 'schema', coalesce(value, p_after ->> key))
                        ),
                        '[]'
                    )
                from jsonb_each_text(p_before)
            ),
            (
                select coalesce(jsonb_agg(jsonb_build_object('name', key, 'schema', value)), '[]')
                from jsonb_each_text(p_after)
            )
        );
end;
comment on function internal.probe_changes(jsonb, jsonb) is
'How the tools that a server lists differ from others, both as internal.tool_digests gives them: {added,
removed, changed}, as internal.tool_changes; null where one of them is not known.';
