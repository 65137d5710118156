create or replace function internal.alert_rule_json(p_name text) returns json
language sql stable
begin atomic
    select
        json_build_object(
            'name', name,
            'state', state,
            'firing', firing,
            'pending', pending,
            'severity', severity,
            'type', type,
            'version', version,
            'author', author,
            'defined_at', defined_at,
            'evaluated_at', evaluated_at,
            'error', error
        )
    from analytics.alert_rules
    where namespace = internal.namespace() and name = p_name;
end;
comment on function internal.alert_rule_json(text) is
'An alert rule as lists show it: {name, state, firing, pending, severity, type, version, author, defined_at,
evaluated_at, error}.';
