create or replace view analytics.outages
with (security_barrier) as
select
    server.namespace,
    server.name as server,
    lower(outage.during) as started_at,
    case when upper(outage.during) < now() then upper(outage.during) end as ended_at,
    extract(epoch from upper(outage.during) - lower(outage.during)) as duration_seconds,
    outage.reasons
from
    internal.outages(
        array(
            select shown.server_id from data.every_server as shown
            where coalesce(shown.namespace = any((select internal.shown_namespaces())::text[]), true)
        ),
        now() - interval '9600 hours', now()
    ) as outage
inner join data.every_server as server on outage.server_id = server.server_id;
comment on view analytics.outages is
'Unbroken times in which a server was down, without maintenance, of the last 400 days.';
comment on column analytics.outages.namespace is 'Namespace; empty for the default one.';
comment on column analytics.outages.server is 'Name of the server.';
comment on column analytics.outages.started_at is 'When it went down.';
comment on column analytics.outages.ended_at is
'When it was not down any more, or not known to be; null while it is down.';
comment on column analytics.outages.duration_seconds is 'How long it was down, until now while it is.';
comment on column analytics.outages.reasons is 'Signals that said so, with their details.';
