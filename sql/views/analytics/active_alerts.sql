create or replace view analytics.active_alerts
with (security_barrier) as
select
    namespace,
    id,
    rule,
    severity,
    state,
    labels ->> 'source' as source,
    labels ->> 'server' as server,
    labels,
    annotations,
    value,
    active_at,
    fired_at,
    recovering_at,
    ack ->> 'author' as acked_by,
    suppressed,
    silenced_by,
    inhibited_by,
    maintenance,
    evidence
from internal.show_every_alert(now());
comment on view analytics.active_alerts is 'Alerts that are pending or firing.';
comment on column analytics.active_alerts.namespace is 'Namespace; empty for the default one.';
comment on column analytics.active_alerts.id is 'Id of the alert: a digest of its labels.';
comment on column analytics.active_alerts.rule is 'Name of the rule.';
comment on column analytics.active_alerts.severity is 'critical, warning or info.';
comment on column analytics.active_alerts.state is 'pending or firing.';
comment on column analytics.active_alerts.source is 'Source that it is about; null for none.';
comment on column analytics.active_alerts.server is 'Server that it is about; null for none.';
comment on column analytics.active_alerts.labels is 'All labels.';
comment on column analytics.active_alerts.annotations is 'Annotations, such as a summary.';
comment on column analytics.active_alerts.value is 'Value of the condition at the last change of state.';
comment on column analytics.active_alerts.active_at is 'Since when the condition holds.';
comment on column analytics.active_alerts.fired_at is 'Since when it is firing; null while it is pending.';
comment on column analytics.active_alerts.recovering_at is
'Since when the condition of a firing alert no longer holds; null while it does.';
comment on column analytics.active_alerts.acked_by is 'Who takes care of it; null for nobody.';
comment on column analytics.active_alerts.suppressed is 'Whether it notifies nobody.';
comment on column analytics.active_alerts.silenced_by is 'Ids of the silences in force that match it.';
comment on column analytics.active_alerts.inhibited_by is
'Ids of firing alerts of a higher severity about the same source or server.';
comment on column analytics.active_alerts.maintenance is
'Ids of the maintenance windows in force of its server.';
comment on column analytics.active_alerts.evidence is
'What the value was computed from, and the query that shows it.';
