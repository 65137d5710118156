create or replace view analytics.health_status
with (security_barrier) as
select
    namespace,
    server,
    status,
    since,
    keepalive,
    probe,
    traffic,
    report,
    disagreement
from internal.show_health(now());
comment on view analytics.health_status is 'Present health of every registered server.';
comment on column analytics.health_status.namespace is 'Namespace; empty for the default one.';
comment on column analytics.health_status.server is 'Name of the server.';
comment on column analytics.health_status.status is
'up, degraded, down, unknown or maintenance: the worst of the signals that are known.';
comment on column analytics.health_status.since is 'Since when it has this status.';
comment on column analytics.health_status.keepalive is 'Whether its keep-alives arrive: up or unknown.';
comment on column analytics.health_status.probe is 'What the prober of the service sees.';
comment on column analytics.health_status.traffic is 'What callers see: the share of errors of its calls.';
comment on column analytics.health_status.report is 'What the server itself and agents report.';
comment on column analytics.health_status.disagreement is
'A sentence where the signals say different things; null where they agree.';
