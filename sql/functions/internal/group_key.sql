create or replace function internal.group_key(p_labels jsonb, p_group_by jsonb) returns text
language sql immutable parallel safe
begin atomic
    select
        '{}:{' || coalesce(
            string_agg(name || '=' || to_json(p_labels ->> name), ', ' order by name), ''
        ) || '}'
    from jsonb_array_elements_text(p_group_by) as name
    where p_labels ? name;
end;
comment on function internal.group_key(jsonb, jsonb) is
'The group of an alert by its labels, as an Alertmanager writes it.';
