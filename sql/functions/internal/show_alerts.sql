create or replace function internal.show_alerts(p_now timestamptz)
returns table (
    id text,
    rule text,
    version integer,
    severity text,
    state text,
    labels jsonb,
    annotations jsonb,
    value double precision,
    active_at timestamptz,
    fired_at timestamptz,
    recovering_at timestamptz,
    ack json,
    suppressed boolean,
    silenced_by text[],
    inhibited_by text[],
    maintenance text[],
    evidence jsonb
)
language sql stable
begin atomic
    select
        alert.fingerprint,
        alert_rule.name,
        alert.version,
        alert.labels ->> 'severity',
        alert.state,
        alert.labels,
        alert.annotations,
        alert.value,
        alert.active_at,
        alert.fired_at,
        alert.recovering_at,
        internal.ack_json(alert, p_now),
        suppressed.fingerprint is not null,
        coalesce(suppressed.silenced_by, '{}'),
        coalesce(suppressed.inhibited_by, '{}'),
        coalesce(suppressed.maintenance, '{}'),
        alert.evidence
    from data.alert
    inner join data.alert_rule on alert.rule_id = alert_rule.rule_id
    left join internal.suppressed_alerts(p_now) as suppressed
        on alert.fingerprint = suppressed.fingerprint;
end;
comment on function internal.show_alerts(timestamptz) is
'The alerts that are pending or firing, and what suppresses them at this time.';
