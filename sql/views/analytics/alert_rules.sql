create or replace view analytics.alert_rules
with (security_barrier) as
select
    rule.namespace,
    rule.name,
    case
        when rule.deleted_at is not null then 'deleted'
        when rule.error is not null then 'error'
        when alerts.firing > 0 then 'firing'
        when alerts.pending > 0 then 'pending'
        when not (version.document ->> 'enabled')::boolean then 'disabled'
        else 'inactive'
    end as state,
    alerts.firing,
    alerts.pending,
    version.document ->> 'severity' as severity,
    version.document #>> '{condition,type}' as type,
    version.document #>> '{condition,kind}' as kind,
    version.version,
    version.author,
    lower(version.valid) as defined_at,
    rule.evaluated_at,
    rule.error,
    rule.error_since,
    rule.created_at,
    rule.deleted_at,
    rule.deleted_by,
    version.document
from data.every_alert_rule as rule
inner join lateral (
    select *
    from data.alert_rule_version
    where alert_rule_version.rule_id = rule.rule_id
    order by alert_rule_version.version desc
    limit 1
) as version on true
left join lateral (
    select
        count(*) filter (where alert.state = 'firing') as firing,
        count(*) filter (where alert.state = 'pending') as pending
    from data.every_alert as alert
    where alert.rule_id = rule.rule_id
) as alerts on true
where coalesce(rule.namespace = any((select internal.shown_namespaces())::text[]), true);
comment on view analytics.alert_rules is 'Alert rules with their newest version, deleted ones too.';
comment on column analytics.alert_rules.namespace is 'Namespace; empty for the default one.';
comment on column analytics.alert_rules.name is 'Name of the rule.';
comment on column analytics.alert_rules.state is
'firing or pending, where it has such an alert, inactive, disabled, error or deleted.';
comment on column analytics.alert_rules.firing is 'Number of its alerts that are firing.';
comment on column analytics.alert_rules.pending is 'Number of its alerts that are pending.';
comment on column analytics.alert_rules.severity is 'critical, warning or info.';
comment on column analytics.alert_rules.type is
'Type of the condition: metric, health, keepalive, burn_rate or fact.';
comment on column analytics.alert_rules.kind is 'Kind that the condition is about, where it is about one.';
comment on column analytics.alert_rules.version is 'Number of the newest version.';
comment on column analytics.alert_rules.author is 'Who defined it.';
comment on column analytics.alert_rules.defined_at is 'When it was defined.';
comment on column analytics.alert_rules.evaluated_at is 'Time for which the rule was evaluated last.';
comment on column analytics.alert_rules.error is 'Why it cannot be evaluated; null where it can.';
comment on column analytics.alert_rules.error_since is 'Since when.';
comment on column analytics.alert_rules.created_at is 'When the rule was defined first.';
comment on column analytics.alert_rules.deleted_at is 'When it was deleted; null while it exists.';
comment on column analytics.alert_rules.deleted_by is 'Who deleted it.';
comment on column analytics.alert_rules.document is 'What the rule says, with its defaults.';
