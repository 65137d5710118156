create or replace function internal.alert_evidence(
    p_rule data.alert_rule_version, p_reading data.alert_reading, p_at timestamptz
)
returns jsonb
language sql stable
begin atomic
    with condition as (
        select
            coalesce((p_rule).document #> '{condition,during}', (p_rule).document -> 'condition') as looked_at,
            (p_rule).document -> 'condition' as document,
            (p_rule).document #>> '{condition,type}' as type
    ),

    period as (
        select
            condition.*,
            coalesce(
                (condition.looked_at ->> 'window')::interval,
                case when condition.type = 'burn_rate' then
                    (select max(pair.long) from internal.burn_pairs(condition.document) as pair)
                end,
                '0'
            ) as length
        from condition
    )

    select
        jsonb_strip_nulls(jsonb_build_object(
            'rule_version', (p_rule).version,
            'value', (p_reading).value,
            'observations', (p_reading).observations,
            'parts', case when period.type <> 'health' then to_jsonb((p_reading).parts) end,
            'status', case when period.type = 'health' then
                (array['unknown', 'up', 'degraded', 'down'])[(p_reading).parts[1] + 1]
            end,
            'from', case when period.length > '0' then p_at - period.length end,
            'to', p_at,
            'watermark', case
                when period.looked_at ? 'statistic' then nullif(internal.watermark('sample_1h'), '-infinity')
            end,
            'query', case
                when period.looked_at ? 'statistic'
                    then jsonb_build_object('operation', 'query_metrics', 'arguments', jsonb_build_object(
                        'name', period.looked_at ->> 'kind',
                        'source', case
                            when internal.rule_label((p_rule).document -> 'condition') = 'source'
                                then (p_reading).label
                            else period.looked_at #>> '{where,source}'
                        end,
                        'labels', nullif(
                            coalesce(period.looked_at #> '{where,labels}', '{}') || case
                                when starts_with(period.looked_at ->> 'group_by', 'label.')
                                    then jsonb_build_object(
                                        substr(period.looked_at ->> 'group_by', length('label.') + 1),
                                        (p_reading).label
                                    )
                                else '{}'
                            end,
                            '{}'
                        ),
                        'from', p_at - period.length,
                        'to', p_at,
                        'step', case
                            when period.length <= internal.longest_sampled_window() then '1m' else '1h'
                        end
                    ))
                when period.type = 'fact'
                    then jsonb_build_object('operation', 'query_facts', 'arguments', jsonb_build_object(
                        'kind', period.document #>> '{after,kind}',
                        coalesce(nullif(period.document ->> 'join', 'none'), 'source'),
                        nullif((p_reading).label, ''),
                        'from', p_at - period.length,
                        'to', p_at
                    ))
                when period.type = 'burn_rate'
                    then jsonb_build_object('operation', 'query_sla', 'arguments', jsonb_build_object(
                        'name', (p_reading).label, 'from', p_at - period.length, 'to', p_at
                    ))
                else
                    jsonb_build_object('operation', 'get_health', 'arguments', jsonb_build_object(
                        'name', (p_reading).label
                    ))
            end
        ))
    from period;
end;
comment on function internal.alert_evidence(
    data.alert_rule_version, data.alert_reading, timestamptz
) is
'What a transition rests on: {rule_version, value, observations, parts, status, from, to, watermark, query:
{operation, arguments}}, without what does not apply.';
