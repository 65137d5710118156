create or replace view analytics.alert_history
with (security_barrier) as
select
    alert_rule.namespace,
    transition.at,
    alert_rule.name as rule,
    transition.version,
    transition.fingerprint as id,
    transition.labels ->> 'severity' as severity,
    transition.labels ->> 'source' as source,
    transition.labels ->> 'server' as server,
    transition.labels,
    transition.from_state,
    transition.to_state,
    transition.value,
    transition.late,
    transition.annotations,
    transition.evidence
from data.alert_transition as transition
inner join data.every_alert_rule as alert_rule on transition.rule_id = alert_rule.rule_id
where coalesce(alert_rule.namespace = any((select internal.shown_namespaces())::text[]), true);
comment on view analytics.alert_history is 'Every change of the state of an alert.';
comment on column analytics.alert_history.namespace is 'Namespace; empty for the default one.';
comment on column analytics.alert_history.at is 'Time of the evaluation that found it.';
comment on column analytics.alert_history.rule is 'Name of the rule, which may be deleted.';
comment on column analytics.alert_history.version is 'Version of the rule.';
comment on column analytics.alert_history.id is 'Id of the alert: a digest of its labels.';
comment on column analytics.alert_history.severity is 'critical, warning or info.';
comment on column analytics.alert_history.source is 'Source that the alert is about; null for none.';
comment on column analytics.alert_history.server is 'Server that the alert is about; null for none.';
comment on column analytics.alert_history.labels is 'All labels.';
comment on column analytics.alert_history.from_state is 'inactive, pending or firing.';
comment on column analytics.alert_history.to_state is 'pending, firing, inactive or resolved.';
comment on column analytics.alert_history.value is 'Value of the condition.';
comment on column analytics.alert_history.late is 'Whether late data changed the condition.';
comment on column analytics.alert_history.annotations is 'Annotations of the alert.';
comment on column analytics.alert_history.evidence is
'What the value was computed from, and the query that shows it.';
