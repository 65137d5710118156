create or replace view analytics.sla_30d
with (security_barrier) as
select
    server.namespace,
    server.name,
    sla.begins_at,
    sla.ends_at,
    sla.up as up_seconds,
    sla.degraded as degraded_seconds,
    sla.down as down_seconds,
    sla.unknown as unknown_seconds,
    sla.maintenance as maintenance_seconds,
    sla.uptime_percent,
    sla.coverage_percent,
    sla.outages,
    sla.longest_outage as longest_outage_seconds,
    sla.mean_time_to_recover as mean_seconds_to_recover,
    sla.target_percent,
    sla.budget as budget_seconds,
    sla.budget_left as budget_left_seconds,
    sla.budget_left_percent
from
    internal.measure_sla(
        array(
            select shown.server_id from data.every_server as shown
            where coalesce(shown.namespace = any((select internal.shown_namespaces())::text[]), true)
        ),
        now() - interval '720 hours', now(), now()
    ) as sla
inner join data.every_server as server on sla.server_id = server.server_id;
comment on view analytics.sla_30d is
'Uptime, outages and error budget of every server in the last 30 days, up to now.';
comment on column analytics.sla_30d.namespace is 'Namespace; empty for the default one.';
comment on column analytics.sla_30d.name is 'Name of the server.';
comment on column analytics.sla_30d.begins_at is 'Start of the 30 days, or when the server was registered.';
comment on column analytics.sla_30d.ends_at is 'Now, or when the server was deregistered.';
comment on column analytics.sla_30d.up_seconds is 'Time in which the server was up.';
comment on column analytics.sla_30d.degraded_seconds is 'Time in which it was degraded.';
comment on column analytics.sla_30d.down_seconds is 'Time in which it was down.';
comment on column analytics.sla_30d.unknown_seconds is
'Time in which nobody reported, or in which this service was not running.';
comment on column analytics.sla_30d.maintenance_seconds is 'Time in maintenance.';
comment on column analytics.sla_30d.uptime_percent is
'Share of up and degraded in the time that is up, degraded or down; null when there is no such time.';
comment on column analytics.sla_30d.coverage_percent is
'Share of the time outside of maintenance in which the status was known.';
comment on column analytics.sla_30d.outages is 'Unbroken times of down.';
comment on column analytics.sla_30d.longest_outage_seconds is 'The longest of them; null without any.';
comment on column analytics.sla_30d.mean_seconds_to_recover is
'Mean length of those after which the server was up or degraded at once.';
comment on column analytics.sla_30d.target_percent is 'Uptime that is promised.';
comment on column analytics.sla_30d.budget_seconds is
'How long the server may be down in the time that is up, degraded or down.';
comment on column analytics.sla_30d.budget_left_seconds is
'What is left of it; negative when it is exceeded.';
comment on column analytics.sla_30d.budget_left_percent is 'The same in per cent of the budget.';
