create or replace function internal.common_members(p_alerts jsonb, p_member text) returns jsonb
language sql immutable parallel safe
begin atomic
    select coalesce(jsonb_object_agg(common.key, common.value), '{}')
    from (
        select
            member.key,
            member.value
        from jsonb_array_elements(p_alerts) as alert
        cross join lateral jsonb_each(alert -> p_member) as member
        group by member.key, member.value
        having count(*) = jsonb_array_length(p_alerts)
    ) as common;
end;
comment on function internal.common_members(jsonb, text) is
'What the labels, or the annotations, of all alerts have in common.';
