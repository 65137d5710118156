create or replace function internal.alert_member_faults(p_condition jsonb)
returns table (field text, slug text, detail text)
language sql immutable
begin atomic
    with metric as (
        select
            'condition.' as path,
            p_condition as condition
        where p_condition ->> 'type' = 'metric'
        union all
        select
            'condition.during.',
            p_condition -> 'during'
        where p_condition ->> 'type' = 'fact' and jsonb_typeof(p_condition -> 'during') = 'object'
    ),

    -- Each member that another one rules out, or asks for.
    rule as (
        select
            metric.path || member.name as field,
            metric.condition ->> 'statistic' <> 'absent' as wanted,
            metric.condition ->> 'statistic' = 'absent' as ruled_out,
            metric.condition ? member.name as sent,
            'a condition with statistic absent' as those
        from metric
        cross join unnest('{operator,threshold}'::text[]) as member (name)
        union all
        select
            metric.path || member.name,
            false,
            metric.condition ->> 'statistic' = 'absent',
            metric.condition ? member.name,
            'a condition with statistic absent'
        from metric
        cross join unnest('{compare,divided_by}'::text[]) as member (name)
        union all
        select
            'condition.' || member.name,
            member.required and p_condition ? 'kind',
            member.of_metrics <> (p_condition ? 'kind'),
            p_condition ? member.name,
            case when p_condition ? 'kind' then 'a burn rate of metrics' else 'a burn rate of servers' end
        from (
            values
            ('statistic', true, true),
            ('where', false, true),
            ('group_by', false, true),
            ('divided_by', false, true),
            ('min_count', false, true),
            ('target', true, null),
            ('servers', false, false),
            ('tags', false, false)
        ) as member (name, required, of_metrics)
        where p_condition ->> 'type' = 'burn_rate'
        union all
        select
            'condition.' || member.name,
            false,
            p_condition ? 'during',
            p_condition ? member.name,
            'a condition with during'
        from unnest('{after,window}'::text[]) as member (name)
        where p_condition ->> 'type' = 'fact'
    )

    select
        rule.field,
        'condition_complete',
        'Send it, or make it ' || rule.those || '.'
    from rule
    where rule.wanted and not rule.sent
    union all
    select
        rule.field,
        'field_applies',
        'It does not apply to ' || rule.those || '. Leave it out.'
    from rule
    where rule.ruled_out and rule.sent
    union all
    select
        'condition.join',
        'field_applies',
        'A metric has no subject. Send source or none, or use after instead of during.'
    where p_condition ->> 'type' = 'fact' and p_condition ->> 'join' = 'subject' and p_condition ? 'during'
    union all
    select
        'condition.during.group_by',
        'field_applies',
        'The facts are joined by source, and so is the metric. Leave it out, or send join none.'
    where
        p_condition ->> 'type' = 'fact'
        and coalesce(p_condition ->> 'join', 'source') = 'source'
        and p_condition #>> '{during,group_by}' <> 'source'
    union all
    select
        metric.path || 'threshold',
        'threshold_finite',
        'The value is not 0 or from 1e-300 to 1e300, or the negative of that. Send such a number.'
    from metric
    where
        case jsonb_typeof(metric.condition -> 'threshold')
            when 'number' then
                (metric.condition -> 'threshold')::numeric <> 0
                and abs((metric.condition -> 'threshold')::numeric) not between 1e-300 and 1e300
        end;
end;
comment on function internal.alert_member_faults(jsonb) is
'Members of a condition that do not go together: missing where another one asks for them, or there where
another one rules them out; and a threshold that no value can be compared with.';
