create or replace function internal.alert_condition_defaults(p_condition jsonb) returns jsonb
language sql immutable parallel safe
begin atomic
    select case p_condition ->> 'type'
        when 'metric' then internal.metric_condition_defaults(p_condition)
        when 'burn_rate'
            -- The four pairs of the SRE Workbook (Beyer and others, 2018, chapter 5).
            then '{"pairs": [
                {"factor": 14.4, "short": "5m", "long": "1h"},
                {"factor": 6, "short": "30m", "long": "6h"},
                {"factor": 3, "short": "2h", "long": "1d"},
                {"factor": 1, "short": "6h", "long": "3d"}
            ]}' || case
                when p_condition ? 'kind' then internal.metric_condition_defaults(p_condition)
                else p_condition
            end
        when 'fact'
            then '{"present": true, "join": "source"}' || p_condition || case
                when p_condition ? 'during'
                    then jsonb_build_object(
                        'during', internal.metric_condition_defaults(p_condition -> 'during')
                    )
                else '{}'
            end
        else p_condition
    end;
end;
comment on function internal.alert_condition_defaults(jsonb) is
'A condition with every default in its place.';
