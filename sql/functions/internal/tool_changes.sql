create or replace function internal.tool_changes(p_before jsonb, p_after jsonb) returns jsonb
language sql immutable parallel safe
begin atomic
    with change as (
        select
            coalesce(before.value ->> 'name', after.value ->> 'name') as name,
            case
                when before.value is null then 'added'
                when after.value is null then 'removed'
                when before.value <> after.value then 'changed'
            end as change
        from jsonb_array_elements(p_before) as before (value)
        full outer join jsonb_array_elements(p_after) as after (value)
            on before.value ->> 'name' = after.value ->> 'name'
    ),

    listed as (
        select
            name,
            change,
            -- The payload of a fact has at most 64 KiB.
            sum(octet_length(name) * 2 + 4) over (order by change, name) <= 60000 as fits
        from change
        where change is not null
    )

    select
        jsonb_build_object(
            'added', coalesce(jsonb_agg(name order by name) filter (where change = 'added' and fits), '[]'),
            'removed',
            coalesce(jsonb_agg(name order by name) filter (where change = 'removed' and fits), '[]'),
            'changed',
            coalesce(jsonb_agg(name order by name) filter (where change = 'changed' and fits), '[]')
        ) || case
            when bool_and(fits) is not false then '{}'
            else jsonb_build_object('omitted', count(*) filter (where not fits))
        end
    from listed;
end;
comment on function internal.tool_changes(jsonb, jsonb) is
'What has changed between two lists of tools, by their names: {added, removed, changed}. A tool has
changed when its description, its schema or anything else of it has. omitted counts the names that do
not fit the payload of a fact; it is absent when there are no such names.';
