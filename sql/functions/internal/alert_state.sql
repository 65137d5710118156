create or replace function internal.alert_state() returns json
language sql stable
begin atomic
    select
        json_build_object(
            'alerts', (
                select
                    json_agg(
                        json_build_object(
                            'state', known.state,
                            'severity', known.severity,
                            'value', coalesce(counted.alerts, 0)
                        )
                    )
                from (
                    select
                        state,
                        severity
                    from unnest('{pending,firing}'::text[]) as state
                    cross join unnest('{critical,warning,info}'::text[]) as severity
                ) as known
                left join (
                    select
                        alert.state,
                        alert.labels ->> 'severity' as severity,
                        count(*) as alerts
                    from data.every_alert as alert
                    group by alert.state, alert.labels ->> 'severity'
                ) as counted
                    on known.state = counted.state and known.severity = counted.severity
            ),
            'alert_rules', count(*),
            'alert_rules_failing', count(rule.error),
            'alert_last_evaluation_timestamp_seconds', (
                select extract(epoch from evaluation.began_at) from data.alert_evaluation as evaluation
            ),
            'alert_last_evaluation_duration_seconds', (
                select extract(epoch from evaluation.ended_at - evaluation.began_at)
                from data.alert_evaluation as evaluation
            )
        )
    from data.every_alert_rule as rule
    where rule.deleted_at is null;
end;
comment on function internal.alert_state() is
'Alerts by state and severity, rules, those that cannot be evaluated, and the last evaluation, for
monitoring.';
