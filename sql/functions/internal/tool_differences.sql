create or replace function internal.tool_differences(p_changes jsonb) returns text
language sql immutable parallel safe
begin atomic
    with shown as (
        select
            change.key as change,
            jsonb_array_length(change.value) as tools,
            (
                select
                    string_agg(
                        -- The server chose the name: only what looks like one is repeated.
                        case when name ~ '^[A-Za-z0-9_.:/-]{1,64}$' then name else '(other name)' end,
                        ', ' order by place
                    )
                from jsonb_array_elements_text(change.value) with ordinality as listed (name, place)
                where listed.place <= 5
            ) as names
        from jsonb_each(p_changes) as change
        where jsonb_typeof(change.value) = 'array'
    )

    select
        'other tools than registered: '
        || string_agg(
            change || ' ' || names || case when tools > 5 then ' and ' || tools - 5 || ' more' else '' end,
            '; ' order by change
        )
    from shown
    where tools > 0;
end;
comment on function internal.tool_differences(jsonb) is
'A sentence about {added, removed, changed}, with at most 5 names of each; null where all are empty.';
