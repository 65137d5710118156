create or replace function internal.alert_evidence(
    p_rule data.alert_rule_version,
    p_reading data.alert_reading,
    p_by text,
    p_at timestamptz,
    p_watermark timestamptz
)
returns jsonb
language plpgsql stable
as $$
declare
    c_statuses constant text [] := '{unknown,up,degraded,down}';
    v_condition constant jsonb := p_rule.document -> 'condition';
    v_health constant boolean := v_condition ->> 'type' = 'health';
    v_from constant timestamptz := p_at - internal.condition_window(v_condition);
begin
    return jsonb_strip_nulls(jsonb_build_object(
        'rule_version', p_rule.version,
        'value', p_reading.value,
        'observations', p_reading.observations,
        'parts', case when not v_health then to_jsonb(p_reading.parts) end,
        'status', case when v_health then c_statuses[p_reading.parts[1] + 1] end,
        'from', v_from,
        'to', p_at,
        'watermark', case
            when coalesce(v_condition -> 'during', v_condition) ? 'statistic' then p_watermark
        end,
        'query', internal.alert_query(v_condition, p_by, p_reading.label, v_from, p_at)
    ));
end
$$;
comment on function internal.alert_evidence(
    data.alert_rule_version, data.alert_reading, text, timestamptz, timestamptz
) is
'What a transition rests on: {rule_version, value, observations, parts, status, from, to, watermark, query:
{operation, arguments}}, without what does not apply. p_by is the label that tells its alerts apart.';
