create or replace function internal.rule_label(p_condition jsonb) returns text
language sql immutable parallel safe
begin atomic
    with chosen as (
        select
            case
                when p_condition ->> 'type' in ('health', 'keepalive') then 'server'
                when p_condition ->> 'type' = 'burn_rate' and not p_condition ? 'kind' then 'server'
                when p_condition ->> 'type' = 'fact' and coalesce(p_condition ->> 'join', 'source') <> 'none'
                    then coalesce(p_condition ->> 'join', 'source')
                when p_condition ? 'during' then p_condition #>> '{during,group_by}'
                else p_condition ->> 'group_by'
            end as name
    )

    select case when starts_with(name, 'label.') then substr(name, length('label.') + 1) else name end
    from chosen;
end;
comment on function internal.rule_label(jsonb) is
'The label that tells the alerts of a rule apart, by its condition; null where it has one alert at most.';
